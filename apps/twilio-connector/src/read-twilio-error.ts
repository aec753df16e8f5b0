import { each, later, never, refused, type ProviderFate } from '@switchboard/connector-kit';
import type { DeliveryError } from '@switchboard/contracts';

/** What Twilio's error code means for a message, in an answer or in a status (contract, section 7). Undefined for a code that the table does not know. Pure. */
export function readTwilioError(code: number): ProviderFate | undefined {
  return fates.get(code);
}

/** The same as a delivery's error, for statuses that come by webhook. `words` is what the channel says of it. */
export function deliveryErrorOf(code: string | undefined, words: string | undefined): DeliveryError {
  const fate = code === undefined ? undefined : readTwilioError(Number(code));
  const unknown = `Twilio could not deliver the message${code === undefined ? '' : ` (error ${code})`}${words ? `: ${words}` : '.'}`;
  return { code: fate?.code ?? 'provider.rejected', message: fate?.message ?? unknown, ...(code === undefined ? {} : { providerCode: code }) };
}

const second = 1_000;
const minute = 60 * second;

const unauthorized = refused('provider.unauthorized', 'Twilio refuses the credentials: the auth token or API key is wrong or was revoked. Post new credentials for this connection.');
const suspended = refused('provider.forbidden', 'The Twilio account is suspended. See its status in the Twilio Console.');
const unknownSender = refused('provider.not_found', 'The sender does not belong to this Twilio account or is not enabled for the channel. Check the number or the WhatsApp sender in the Twilio Console.');
const misconfigured = refused('provider.forbidden', 'The WhatsApp sender is not set up completely at Twilio or in the Meta Business Manager. See the sender in the Twilio Console.');
const badNumber = never('provider.rejected', 'The contact\'s number is not valid, or cannot get messages.');
const badTemplate = never('provider.rejected', 'Twilio refuses the content template: its SID, its variables, its language or its approval do not fit. Compare with the Content Template Builder in the Twilio Console.');
const badMedia = never('media.unavailable', 'Twilio could not fetch the file from its address.');
const blockedByContact = never('provider.rejected', 'WhatsApp does not deliver to this contact: the contact has blocked the sender, or WhatsApp\'s policy forbids it.');
const unavailable = later('provider.unavailable', 'Twilio or the channel has a temporary fault; it is tried again.');

const fates: ReadonlyMap<number, ProviderFate> = new Map([
  ...each([20003], unauthorized),
  ...each([20404], refused('provider.not_found', 'Twilio does not know this account. Check the account SID of this connection.')),
  ...each([20429], later('provider.throttled', 'The account makes too many calls to Twilio at once; it is tried again.')),
  ...each([20500, 20503], later('provider.unavailable', 'Twilio is not available; it is tried again.')),
  ...each([21211, 21212, 21214, 21217, 21614], badNumber),
  ...each([21408], never('provider.forbidden', 'This Twilio account may not send to the contact\'s country. Enable it under Messaging geo permissions in the Twilio Console.')),
  // It may be this destination alone that the number cannot send to: not the account's matter.
  ...each([21606], never('provider.forbidden', 'The sender cannot send this message to this number. Check what the number can do in the Twilio Console.')),
  ...each([63007], unknownSender),
  ...each([21608], never('provider.forbidden', 'A trial account of Twilio sends to verified numbers only. Verify the number, or upgrade the account.')),
  ...each([21610], never('message.opted_out', 'The contact has sent STOP to this number: nothing is sent until the contact sends START.')),
  ...each([21611, 30001], later('provider.throttled', 'The sender\'s queue at Twilio is full; it is tried again.', { afterMs: minute })),
  ...each([21617], never('message.unsupported_content', 'The text is longer than Twilio takes.')),
  ...each([21620, 63019], badMedia),
  ...each([21655, 21656, 63027, 63028, 63041], badTemplate),
  ...each([21476, 21478, 30002], suspended),
  ...each([30003, 30005, 30006], never('provider.rejected', 'The contact\'s phone cannot be reached: switched off, unknown, or a landline.')),
  ...each([30004, 30007], never('provider.rejected', 'The message was blocked by the contact\'s network or filtered as spam.')),
  ...each([30008], later('provider.unavailable', 'The contact\'s network did not say why it has not delivered the message.', { afterMs: minute })),
  ...each([63001, 63008, 63020], misconfigured),
  ...each([63003, 63024], never('provider.rejected', 'The contact has no account at WhatsApp with this number.')),
  ...each([63009, 63010, 63012], unavailable),
  ...each([63013, 63014, 63026, 63033], blockedByContact),
  ...each([63015], never('provider.rejected', 'The contact has not joined Twilio\'s WhatsApp sandbox.')),
  ...each([63016], never('message.window_closed', 'More than 24 hours have passed since the contact wrote. Send an approved template.')),
  // Two thousand a second of the account with all its subaccounts: of all tenants together. A second is a new allowance.
  ...each([63017], later('provider.throttled', 'The platform\'s Twilio accounts together send faster than Twilio allows; it is tried again.', { afterMs: 2 * second })),
  ...each([63018], later('provider.throttled', 'The WhatsApp sender is faster than WhatsApp allows; it is tried again.', { afterMs: 5 * second })),
  ...each([63021], never('message.unsupported_content', 'WhatsApp does not take this content: its type or its length.')),
  ...each([63032], never('provider.rejected', 'WhatsApp withholds this message from the contact because of a limit or an experiment of its own.')),
  // Until the next day; asked every hour, because Twilio does not say whose midnight it is.
  ...each([63038], later('provider.throttled', 'The account has sent as many messages as Twilio lets it in a day; it is tried again.', { afterMs: 60 * minute, counted: false })),
  ...each([14107], never('provider.rejected', 'Twilio stopped a loop: two numbers answered each other more than 30 times in 30 seconds.')),
]);
