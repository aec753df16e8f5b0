import { countSegments } from './count-segments.ts';
import { priceOf } from './message-life.ts';
import { parseTwiml } from './parse-twiml.ts';
import type { TwilioDelivery, TwilioMessage, TwilioService } from './rows.ts';
import { newSid, type TwilioStore } from './twilio-store.ts';
import type { TwilioWebhooks } from './twilio-webhooks.ts';

export type InboundMessage = {
  /** `+1…`, `whatsapp:+…` or `whatsapp:US.1234` */
  readonly from: string;
  /** A number or sender of the account, with or without `whatsapp:`. */
  readonly to: string;
  readonly text: string;
  readonly name?: string;
  readonly media: readonly { readonly mimeType: string; readonly base64: string }[];
  readonly location?: { readonly latitude: number; readonly longitude: number; readonly address?: string; readonly label?: string };
  readonly button?: { readonly text: string; readonly payload?: string; readonly type?: string };
  readonly repliesTo?: string;
  /** Referral parameters without their prefix: `{"Body": "Spring sale"}`. */
  readonly referral?: Readonly<Record<string, string>>;
  readonly externalUserId?: string;
  readonly country: string;
  /** Of a message that came before: it comes again as it was. */
  readonly messageSid?: string;
  /** Parameters that Twilio may add without notice, or has otherwise. */
  readonly extra: Readonly<Record<string, string>>;
};

export type Received = { readonly messageSid: string | null; readonly deliveries: readonly TwilioDelivery[]; readonly note?: string };

const stopWords = ['STOP', 'STOPALL', 'UNSUBSCRIBE', 'CANCEL', 'END', 'QUIT', 'OPTOUT', 'REVOKE'];
const startWords = ['START', 'YES', 'UNSTOP'];
const helpWords = ['HELP', 'INFO'];

type Target = { readonly sender: string; readonly service: TwilioService | undefined; readonly isService: boolean; readonly url: string; readonly method: string; readonly fallbackUrl: string; readonly fallbackMethod: string };
type Deps = { readonly store: TwilioStore; readonly webhooks: TwilioWebhooks; readonly baseUrl: string; readonly now: () => Date };

/** A contact writes: the number's, the service's or the sender's URL hears of it. Undefined: the account has no such number or sender. */
export async function receiveMessage(deps: Deps, accountSid: string, inbound: InboundMessage): Promise<Received | undefined> {
  const { store, now } = deps;
  const account = store.account(accountSid);
  const isWhatsApp = inbound.from.startsWith('whatsapp:');
  const target = isWhatsApp ? senderTarget(store, accountSid, `whatsapp:${inbound.to.replace(/^whatsapp:/, '')}`) : numberTarget(store, accountSid, inbound.to);
  if (account === undefined || target === undefined) return undefined;
  const parent = store.account(account.ownerSid);
  if (account.status !== 'active' || parent?.status === 'suspended') return { messageSid: null, deliveries: [], note: 'the account is suspended: nothing comes in' };
  const optOut = optOutOf(inbound.text);
  const optOutSender = store.optOutSenderOf(accountSid, target.sender);
  if (!isWhatsApp && optOut === 'STOP') store.optOut(accountSid, optOutSender, inbound.from, now());
  if (!isWhatsApp && optOut === 'START') store.optIn(accountSid, optOutSender, inbound.from);
  if (isWhatsApp) store.openWindow(accountSid, target.sender, inbound.from, now());
  if (target.isService && target.url === '') return { messageSid: null, deliveries: [], note: 'the messaging service has no InboundRequestUrl: the message is dropped and not logged' };
  const known = inbound.messageSid === undefined ? undefined : store.find('twilioMessage', accountSid, inbound.messageSid);
  const message = known ?? keepMessage(deps, accountSid, target, inbound);
  if (target.url === '') return { messageSid: message.sid, deliveries: [], note: 'no URL is set for the number or sender' };
  const parameters = parametersOf(deps, message, target, inbound, account.advancedOptOut && !isWhatsApp ? optOut : undefined);
  return { messageSid: message.sid, deliveries: await deliver(deps, accountSid, message, target, parameters) };
}

async function deliver(deps: Deps, accountSid: string, message: TwilioMessage, target: Target, parameters: Record<string, string>): Promise<TwilioDelivery[]> {
  const { webhooks } = deps;
  const read = (answer: { contentType: string; body: string }) => replyTo(deps, message, answer);
  const first = await webhooks.send(accountSid, { kind: 'message', url: target.url, method: target.method, parameters }, read);
  if (first.error === null || first.attempts.length === 0 || target.fallbackUrl === '') return [first];
  const errorCode = /^\d+/.exec(first.error)?.[0] ?? '11200';
  const second = await webhooks.send(accountSid, { kind: 'message', url: target.fallbackUrl, method: target.fallbackMethod, parameters: { ...parameters, ErrorCode: errorCode, ErrorUrl: target.url.split('#', 1)[0] ?? '' } }, read);
  return [first, second];
}

/** An answer in plain text, or with `<Message>`, goes back to the contact: the hub must send none. */
function replyTo({ store, now }: Deps, message: TwilioMessage, answer: { contentType: string; body: string }): string | undefined {
  if (answer.body.trim() === '') return undefined;
  const texts: string[] = [];
  if (/^text\/plain\b/i.test(answer.contentType)) texts.push(answer.body);
  else if (/^(text|application)\/(xml|html)\b/i.test(answer.contentType)) {
    const twiml = parseTwiml(answer.body);
    if ('error' in twiml) return `12100: ${twiml.error}`;
    for (const verb of twiml.verbs) {
      if (verb.name === 'Message') texts.push(verb.text);
      else if (verb.name !== 'Redirect') return `12200: <${verb.name}> is no verb for messages`;
    }
  } else return `12300: invalid Content-Type ${answer.contentType}`;
  const at = now().toISOString();
  for (const body of texts) {
    const reply: TwilioMessage = { ...message, sid: newSid('SM'), direction: 'outbound-reply', from: message.to, to: message.from, body, status: 'delivered', numMedia: 0, numSegments: countSegments(body), price: null, createdAt: at, updatedAt: at, sentAt: at, parameters: {} };
    store.put('twilioMessage', reply.sid, { ...reply, price: priceOf(reply) });
  }
  return undefined;
}

/** The service's URL, where the number is in one that does not leave it to its numbers; an application in the number's settings puts its URLs out of use. */
function numberTarget(store: TwilioStore, accountSid: string, to: string): Target | undefined {
  const number = store.numberOf(accountSid, to);
  if (number === undefined) return undefined;
  const service = store.serviceOf(accountSid, number.sid);
  const { settings } = number;
  if (service !== undefined && !leavesInbound(service)) return serviceTarget(service, to);
  const isTaken = Boolean(settings['SmsApplicationSid']);
  const text = (name: string) => (isTaken ? '' : (settings[name] ?? ''));
  return { sender: to, service, isService: false, url: text('SmsUrl'), method: settings['SmsMethod'] ?? 'POST', fallbackUrl: text('SmsFallbackUrl'), fallbackMethod: settings['SmsFallbackMethod'] ?? 'POST' };
}

const leavesInbound = (service: TwilioService): boolean => service.settings['UseInboundWebhookOnNumber']?.toLowerCase() === 'true';

function serviceTarget(service: TwilioService, sender: string): Target {
  const { settings } = service;
  return { sender, service, isService: true, url: settings['InboundRequestUrl'] ?? '', method: settings['InboundMethod'] ?? 'POST', fallbackUrl: settings['FallbackUrl'] ?? '', fallbackMethod: settings['FallbackMethod'] ?? 'POST' };
}

function senderTarget(store: TwilioStore, accountSid: string, senderId: string): Target | undefined {
  const sender = store.senderOf(accountSid, senderId);
  if (sender === undefined) return undefined;
  const service = store.serviceOf(accountSid, sender.sid);
  if (service !== undefined && !leavesInbound(service)) return serviceTarget(service, senderId);
  const text = (name: string) => (typeof sender.webhook[name] === 'string' ? sender.webhook[name] : '');
  return { sender: senderId, service, isService: false, url: text('callback_url'), method: text('callback_method') || 'POST', fallbackUrl: text('fallback_url'), fallbackMethod: text('fallback_method') || 'POST' };
}

function keepMessage({ store, now }: Deps, accountSid: string, target: Target, inbound: InboundMessage): TwilioMessage {
  const sid = inbound.messageSid ?? newSid(inbound.media.length > 0 ? 'MM' : 'SM');
  const at = now().toISOString();
  const isWhatsApp = inbound.from.startsWith('whatsapp:');
  const plain = { to: target.sender, numMedia: inbound.media.length, numSegments: isWhatsApp ? 1 : countSegments(inbound.text) };
  const message: TwilioMessage = {
    sid,
    accountSid,
    direction: 'inbound',
    from: inbound.from,
    body: inbound.button?.text ?? inbound.text,
    status: 'received',
    errorCode: null,
    errorMessage: null,
    serviceSid: target.service?.sid ?? null,
    ...plain,
    price: priceOf(plain),
    statusCallback: null,
    createdAt: at,
    updatedAt: at,
    sentAt: at,
    parameters: {},
  };
  store.put('twilioMessage', sid, message);
  for (const { mimeType, base64 } of inbound.media) {
    const media = { sid: newSid('ME'), accountSid, parentSid: sid, contentType: mimeType, base64, createdAt: at };
    store.put('twilioMedia', media.sid, media);
  }
  return message;
}

function parametersOf({ store, baseUrl }: Deps, message: TwilioMessage, target: Target, inbound: InboundMessage, optOutType: string | undefined): Record<string, string> {
  const media = store.list('twilioMedia', message.accountSid).filter(({ parentSid }) => parentSid === message.sid);
  const quoted = inbound.repliesTo === undefined ? undefined : store.find('twilioMessage', message.accountSid, inbound.repliesTo);
  return {
    ...(message.from.startsWith('whatsapp:') ? whatsAppParameters(message, inbound, media) : geoParameters(inbound)),
    SmsMessageSid: message.sid,
    NumMedia: String(media.length),
    SmsSid: message.sid,
    SmsStatus: 'received',
    Body: message.body,
    To: message.to,
    ...(target.service === undefined ? {} : { MessagingServiceSid: target.service.sid }),
    NumSegments: String(message.numSegments),
    MessageSid: message.sid,
    AccountSid: message.accountSid,
    From: message.from,
    ApiVersion: '2010-04-01',
    ...(quoted === undefined ? {} : { OriginalRepliedMessageSid: quoted.sid, OriginalRepliedMessageSender: quoted.from }),
    ...(optOutType === undefined ? {} : { OptOutType: optOutType }),
    ...Object.fromEntries(media.flatMap(({ sid, contentType }, index) => [[`MediaContentType${index}`, contentType], [`MediaUrl${index}`, `${baseUrl}/2010-04-01/Accounts/${message.accountSid}/Messages/${message.sid}/Media/${sid}`]])),
    ...inbound.extra,
  };
}

function geoParameters(inbound: InboundMessage): Record<string, string> {
  const of = (side: string, country: string) => ({ [`${side}City`]: '', [`${side}State`]: '', [`${side}Zip`]: '', [`${side}Country`]: country });
  return { ...of('To', 'US'), ...of('From', inbound.country) };
}

/** A contact who hides the number has a business-scoped id instead, and no WaId. */
function whatsAppParameters(message: TwilioMessage, inbound: InboundMessage, media: readonly { contentType: string }[]): Record<string, string> {
  const waId = /^whatsapp:\+(\d+)$/.exec(message.from)?.[1];
  const name = inbound.name ?? waId ?? 'Contact';
  const { location, button, referral } = inbound;
  const family = media[0]?.contentType.split('/', 1)[0];
  const type = location ? 'location' : button ? (button.type === 'TEMPLATE' ? 'button' : 'interactive') : family === undefined ? 'text' : ['image', 'audio', 'video'].includes(family) ? family : 'document';
  return {
    ProfileName: name,
    ...(waId === undefined ? {} : { WaId: waId }),
    ...(inbound.externalUserId === undefined ? {} : { ExternalUserId: inbound.externalUserId }),
    MessageType: type,
    ChannelMetadata: JSON.stringify({ type: 'whatsapp', data: { context: { ProfileName: name, ...(waId === undefined ? {} : { WaId: waId }) } } }),
    ReferralNumMedia: '0',
    ...(location && { Latitude: String(location.latitude), Longitude: String(location.longitude), ...(location.address === undefined ? {} : { Address: location.address }), ...(location.label === undefined ? {} : { Label: location.label }) }),
    ...(button && { Forwarded: 'false', FrequentlyForwarded: 'false', ButtonText: button.text, ButtonPayload: button.payload ?? button.text, ...(button.type === undefined ? {} : { ButtonType: button.type }) }),
    ...Object.fromEntries(Object.entries(referral ?? {}).map(([key, value]) => [`Referral${key}`, value])),
  };
}

/** The whole text, trimmed, in any case. */
function optOutOf(text: string): 'STOP' | 'START' | 'HELP' | undefined {
  const word = text.trim().toUpperCase();
  return stopWords.includes(word) ? 'STOP' : startWords.includes(word) ? 'START' : helpWords.includes(word) ? 'HELP' : undefined;
}
