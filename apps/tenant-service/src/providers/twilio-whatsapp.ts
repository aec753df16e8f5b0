import { z } from 'zod';
import { unverified, type Unverified } from './connect-strategy.ts';
import { readAnswer, refusalOf, type TwilioCall } from './twilio-client.ts';
import { isSameAddress, isSameUrl } from './twilio-urls.ts';

/** The number of Twilio's WhatsApp sandbox, the same for every account. No API sets its address. twilio.com/docs/whatsapp/sandbox (2026) */
const sandboxNumber = '+14155238886';

const text = z.string().nullish();
const senderSchema = z.object({
  sid: z.string(),
  sender_id: z.string(),
  status: text,
  webhook: z.object({ callback_url: text, callback_method: text, fallback_url: text, status_callback_url: text }).nullish(),
});
type Sender = z.output<typeof senderSchema>;
const sendersSchema = z.object({ senders: z.array(senderSchema), meta: z.object({ next_page_url: text }).nullish() });

/** Pages of senders that are looked through, of 100 each. */
const pagesMax = 20;

/** `works`: messages come in. What is `toDo` is the tenant's to do by hand; the hub looks again by itself. */
export type WhatsAppOutcome = { readonly kind: 'whatsapp'; readonly works: boolean; readonly senderSid?: string; readonly toDo?: string } | Unverified;

/** Sets the hub's address on the WhatsApp sender of a number, and looks whether Twilio kept it. Senders are made and approved in the console alone. */
export async function setSender(call: TwilioCall, phoneNumber: string, url: string): Promise<WhatsAppOutcome> {
  const address = url.split('#')[0] ?? url;
  if (phoneNumber === sandboxNumber) {
    return { kind: 'whatsapp', works: true, toDo: `${sandboxNumber} is Twilio's WhatsApp sandbox, whose address only the console sets: at Messaging, Try it out, Send a WhatsApp message, Sandbox settings, put ${url} into "When a message comes in", with method POST.` };
  }
  const found = await findSender(call, phoneNumber);
  if (found.kind === 'unverified') return found;
  if (found.sender === undefined) {
    return { kind: 'whatsapp', works: false, toDo: `The Twilio account has no WhatsApp sender ${phoneNumber}. Register the number in the Twilio console (Messaging, Senders, WhatsApp senders) and have it approved; the hub sets its address, ${address}, by itself as soon as it is there.` };
  }
  const set = isKept(found.sender, url) ? found.sender : await changeSender(call, found.sender, url);
  if ('kind' in set) return set;
  const isOnline = set.status?.startsWith('ONLINE') === true;
  if (isOnline && isSameAddress(set.webhook?.callback_url, url)) return { kind: 'whatsapp', works: true, senderSid: set.sid };
  const toDo = isOnline
    ? `Twilio has not taken over the address of the WhatsApp sender ${phoneNumber} yet. If this stays, set ${address} in the Twilio console (Messaging, Senders, WhatsApp senders, ${phoneNumber}).`
    : `The WhatsApp sender ${phoneNumber} is not online at Twilio (status ${set.status ?? 'unknown'}). Finish its registration and approval in the Twilio console (Messaging, Senders, WhatsApp senders).`;
  return { kind: 'whatsapp', works: false, senderSid: set.sid, toDo };
}

/** Whether the WhatsApp sender of a number is online and sends to the hub; why not, else. Changes nothing. */
export async function senderFault(call: TwilioCall, phoneNumber: string, url: string): Promise<Unverified | undefined> {
  if (phoneNumber === sandboxNumber) return undefined;
  const found = await findSender(call, phoneNumber);
  if (found.kind === 'unverified') return found;
  const { status, webhook } = found.sender ?? {};
  if (status?.startsWith('ONLINE') !== true) return unverified(`The WhatsApp sender ${phoneNumber} is not online at Twilio (status ${status ?? 'unknown'}).`, false, 'provider.forbidden');
  return isSameAddress(webhook?.callback_url, url) ? undefined : unverified(`At Twilio the WhatsApp sender ${phoneNumber} sends elsewhere than to the hub. Post the credentials again.`, false, 'provider.rejected');
}

/** Takes the hub's addresses back from the WhatsApp sender of a number, where they are still its own. True: something was taken back. */
export async function clearSender(call: TwilioCall, phoneNumber: string, url: string): Promise<boolean | Unverified> {
  if (phoneNumber === sandboxNumber) return false;
  const found = await findSender(call, phoneNumber);
  if (found.kind === 'unverified') return found;
  const { sender } = found;
  if (sender === undefined || !isSameAddress(sender.webhook?.callback_url, url)) return false;
  const webhook = {
    callback_url: '',
    ...(isSameAddress(sender.webhook?.fallback_url, url) && { fallback_url: '' }),
    ...(isSameAddress(sender.webhook?.status_callback_url, url) && { status_callback_url: '' }),
  };
  return refusalOf(await call('POST', 'messaging', `/v2/Channels/Senders/${sender.sid}`, { json: { webhook } }), `take the address of WhatsApp sender ${phoneNumber} back`) ?? true;
}

async function findSender(call: TwilioCall, phoneNumber: string): Promise<{ readonly kind: 'found'; readonly sender: Sender | undefined } | Unverified> {
  let path = '/v2/Channels/Senders?Channel=whatsapp&PageSize=100';
  for (let page = 0; page < pagesMax; page++) {
    const listed = readAnswer(await call('GET', 'messaging', path), sendersSchema, 'list the WhatsApp senders of the account');
    if (listed.kind === 'unverified') return listed;
    const sender = listed.value.senders.find(({ sender_id: id }) => id === `whatsapp:${phoneNumber}`);
    const next = listed.value.meta?.next_page_url;
    if (sender !== undefined || typeof next !== 'string' || next === '') return { kind: 'found', sender };
    // Of the next page's address the query alone: the credentials go nowhere else than before.
    path = `/v2/Channels/Senders${new URL(next, 'https://messaging.twilio.com').search}`;
  }
  return { kind: 'found', sender: undefined };
}

async function changeSender(call: TwilioCall, { sid, sender_id: id }: Sender, url: string): Promise<Sender | Unverified> {
  const path = `/v2/Channels/Senders/${encodeURIComponent(sid)}`;
  // In JSON, unlike the rest of Twilio's API (twilio-oai messaging_v2).
  const webhook = { callback_url: url, callback_method: 'POST', fallback_url: url, fallback_method: 'POST', status_callback_url: url, status_callback_method: 'POST' };
  const refused = refusalOf(await call('POST', 'messaging', path, { json: { webhook } }), `set the address of sender ${id}`);
  if (refused !== undefined) return refused;
  const read = readAnswer(await call('GET', 'messaging', path), senderSchema, `read sender ${id} again`);
  return read.kind === 'unverified' ? read : read.value;
}

function isKept({ webhook }: Sender, url: string): boolean {
  return isSameUrl(webhook?.callback_url, url) && webhook?.callback_method === 'POST' && isSameUrl(webhook.fallback_url, url) && isSameUrl(webhook.status_callback_url, url);
}
