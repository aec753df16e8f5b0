import { each, later, never, refused, type ProviderFate } from '@switchboard/connector-kit';
import type { DeliveryError } from '@switchboard/contracts';
import type { MetaError } from './wire.ts';

/**
 * What Meta's error code means for a message. Codes and their meaning:
 * developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes (September 2026); titles are not relied upon, Meta
 * is going to drop them. Pure. Undefined for a code that the table does not know.
 */
export function readMetaError(error: Pick<MetaError, 'code' | 'message' | 'error_data'>): ProviderFate | undefined {
  const { code } = error;
  if (code === 200 && /token/i.test(`${error.message ?? ''} ${error.error_data?.details ?? ''}`)) return fates.get(190);
  return fates.get(code) ?? (code >= 200 && code <= 299 ? fates.get(10) : undefined);
}

/** The same as a delivery's error, for statuses that come by webhook. */
export function deliveryErrorOf(error: MetaError): DeliveryError {
  const fate = readMetaError(error);
  const details = error.error_data?.details ?? error.message ?? error.title;
  return {
    code: fate?.code ?? 'provider.rejected',
    message: fate?.message ?? (details === undefined ? 'WhatsApp could not deliver the message.' : `WhatsApp could not deliver the message: ${details}`),
    providerCode: String(error.code),
  };
}

const second = 1_000;
const minute = 60 * second;

const unauthorized = refused('provider.unauthorized', 'WhatsApp refuses the access token: it has expired or was withdrawn. Post new credentials for this connection.');
const forbidden = refused('provider.forbidden', 'The access token lacks a permission: grant whatsapp_business_messaging and whatsapp_business_management at Meta.');
const unavailable = later('provider.unavailable', 'WhatsApp has a temporary fault; it is tried again.');
const unknownNumber = refused('provider.not_found', 'The phone number is deleted, not registered, or its display name is not approved at WhatsApp. Check it in the WhatsApp Manager.');
const badRequest = never('provider.rejected', 'WhatsApp does not accept the form of this message.');
const restricted = refused('provider.forbidden', 'WhatsApp has restricted or locked this account. See the WhatsApp Manager.');
const badTemplate = never('provider.rejected', 'WhatsApp refuses the template: its name, language, approval or parameters do not fit. Compare with the template in the WhatsApp Manager.');
const pausedTemplate = never('provider.rejected', 'WhatsApp has paused or disabled the template for its low quality. Edit it or use another one.');
const spam = never('provider.rejected', 'WhatsApp restricts this number because too many of its messages were blocked or marked as spam. See its quality in the WhatsApp Manager.');

const fates: ReadonlyMap<number, ProviderFate> = new Map([
  ...each([0, 190], unauthorized),
  ...each([3, 10, 131_005], forbidden),
  // 1 may also be a malformed request; the bus gives up after its cap.
  ...each([1, 2, 131_000, 131_016], unavailable),
  ...each([4, 80_007], later('provider.throttled', 'The account has used up its calls to WhatsApp for now; it is tried again.', { afterMs: 2 * minute })),
  ...each([130_429], later('provider.throttled', 'The number sends faster than WhatsApp allows; it is tried again.', { afterMs: 5 * second })),
  // One message in six seconds to the same contact: developers.facebook.com/…/about-the-platform.
  ...each([131_056], { ...later('provider.throttled', 'Too many messages to this contact in a short time; it is tried again.', { afterMs: 6 * second }), scope: 'pair' as const }),
  ...each([131_048, 131_064], spam),
  ...each([131_057], later('provider.unavailable', 'WhatsApp is working on this number (about a minute); it is tried again.', { afterMs: minute })),
  ...each([33, 131_045, 131_037, 133_010], unknownNumber),
  ...each([100, 131_008, 131_009, 131_051], badRequest),
  ...each([368, 131_031], restricted),
  // Of the contact's country alone: others may be written to.
  ...each([130_497], never('provider.forbidden', 'WhatsApp does not let this account write to contacts of this country.')),
  ...each([130_403], never('provider.rejected', 'This number has blocked the contact. Unblock the contact at WhatsApp to write to it.')),
  ...each([130_472], never('provider.rejected', 'WhatsApp withholds marketing messages from this contact because of an experiment of Meta.')),
  ...each([131_021], never('provider.rejected', 'The contact\'s number is the business\'s own number.')),
  ...each([131_026], never('provider.rejected', 'The contact cannot be reached on WhatsApp: no account, an old version, or the terms were not accepted.')),
  ...each([131_042], never('provider.rejected', 'WhatsApp has a problem with the payment of this account. Check the payment method in the WhatsApp Manager.')),
  ...each([131_047], never('message.window_closed', 'More than 24 hours have passed since the contact wrote. Send an approved template.')),
  ...each([131_049], never('provider.rejected', 'WhatsApp limits how many marketing messages this contact gets. Try again after a day at the earliest.')),
  ...each([131_050], never('provider.rejected', 'The contact does not want marketing messages from this business.')),
  ...each([131_052], never('media.unavailable', 'WhatsApp could not download the contact\'s file.')),
  ...each([131_053], never('message.unsupported_content', 'WhatsApp does not take this file: its type, size or encoding is not allowed.')),
  ...each([131_062], never('provider.rejected', 'WhatsApp needs the contact\'s phone number for this kind of message; only the business-scoped user id is known.')),
  ...each([131_063], never('provider.rejected', 'Marketing templates are switched off for this account at WhatsApp.')),
  ...each([132_000, 132_001, 132_005, 132_007, 132_012], badTemplate),
  ...each([132_015, 132_016], pausedTemplate),
  ...each([132_068], never('provider.rejected', 'WhatsApp has blocked the form (Flow) of this template.')),
  ...each([132_069], { ...later('provider.throttled', 'WhatsApp throttles the form (Flow) of this template; it is tried again.', { afterMs: minute }), scope: 'pair' as const }),
  ...each([133_016], never('provider.rejected', 'The number was registered or deregistered too often. WhatsApp opens it again after 72 hours.')),
]);
