import type { Answer } from '../exchange.ts';
import { orMissing, pageAnswer2010, paging, rfc2822, type Call, type TwilioRoute } from './call.ts';
import { countSegments } from './count-segments.ts';
import { bodyOfContent } from './content-routes.ts';
import { listOf, textOf } from './parameters.ts';
import { refuse } from './refusals.ts';
import type { TwilioMessage } from './rows.ts';
import { newSid } from './twilio-store.ts';

const bodyLengthMax = 1600;
const mediaMax = { sms: 10, whatsapp: 1 };
/** A number, or a business-scoped user id. */
const whatsAppContact = /^whatsapp:(\+[1-9]\d{6,14}|[A-Z]{2}\.[A-Za-z0-9]+)$/;
const phoneNumber = /^\+[1-9]\d{6,14}$/;

export const messageRoutes: TwilioRoute[] = [
  {
    operation: 'CreateMessage',
    method: 'POST',
    path: '/Messages.json',
    parameters: {
      To: 'text!',
      From: 'text',
      FallbackFrom: 'text',
      MessagingServiceSid: 'sid:MG',
      Body: 'text',
      MediaUrl: 'url[]',
      ContentSid: 'sid:HX',
      ContentVariables: 'text',
      StatusCallback: 'url',
      ApplicationSid: 'sid:AP',
      MaxPrice: 'number',
      ProvideFeedback: 'boolean',
      Attempt: 'integer',
      ValidityPeriod: 'integer',
      ForceDelivery: 'boolean',
      ContentRetention: 'enum:retain,discard',
      AddressRetention: 'enum:retain,obfuscate',
      SmartEncoded: 'boolean',
      PersistentAction: 'text[]',
      TrafficType: 'enum:free',
      ShortenUrls: 'boolean',
      ScheduleType: 'enum:fixed',
      SendAt: 'time',
      SendAsMms: 'boolean',
      MessageIntent: 'text',
      RiskCheck: 'enum:enable,disable',
    },
    handle: create,
  },
  { operation: 'ListMessage', method: 'GET', path: '/Messages.json', parameters: { To: 'text', From: 'text', DateSent: 'time', 'DateSent<': 'time', 'DateSent>': 'time', ...paging }, handle: list },
  { operation: 'FetchMessage', method: 'GET', path: '/Messages/:sid.json', handle: (call) => ({ status: 200, json: messageOf(messageAt(call)) }) },
  { operation: 'UpdateMessage', method: 'POST', path: '/Messages/:sid.json', parameters: { Body: 'text', Status: 'enum:canceled' }, handle: update },
  { operation: 'DeleteMessage', method: 'DELETE', path: '/Messages/:sid.json', handle: remove },
];

export function messageAt(call: Call): TwilioMessage {
  return orMissing(call.store.find('twilioMessage', call.account.sid, call.match[1] ?? ''), call);
}

async function create(call: Call): Promise<Answer> {
  const { account, given, store } = call;
  const parent = store.account(account.ownerSid);
  if (account.status !== 'active' || parent?.status === 'suspended') refuse(403, 30002, 'The account is suspended');
  const to = textOf(given, 'To') ?? '';
  const isWhatsApp = to.startsWith('whatsapp:');
  const { from, serviceSid } = senderOf(call, isWhatsApp);
  if (!(isWhatsApp ? whatsAppContact : phoneNumber).test(to)) refuse(400, 21211, `Invalid 'To' Phone Number: ${to}`);
  const body = bodyOf(call, isWhatsApp);
  if (!isWhatsApp && store.hasOptedOut(account.sid, store.optOutSenderOf(account.sid, from), to)) refuse(400, 21610, 'Attempt to send to unsubscribed recipient');
  const numMedia = listOf(given, 'MediaUrl').length;
  const scheduled = scheduleOf(call, serviceSid);
  const at = call.now.toISOString();
  const message: TwilioMessage = {
    sid: newSid(numMedia > 0 ? 'MM' : 'SM'),
    accountSid: account.sid,
    direction: 'outbound-api',
    from,
    to,
    body,
    status: scheduled !== undefined ? 'scheduled' : serviceSid === null ? 'queued' : 'accepted',
    errorCode: null,
    errorMessage: null,
    serviceSid,
    numMedia,
    numSegments: isWhatsApp || numMedia > 0 ? 1 : countSegments(body),
    price: null,
    statusCallback: textOf(given, 'StatusCallback') || null,
    createdAt: at,
    updatedAt: at,
    sentAt: null,
    parameters: given,
  };
  store.put('twilioMessage', message.sid, message);
  if (scheduled === undefined) await call.life.start(account, message);
  else call.life.startAt(account, message, scheduled);
  return { status: 201, json: messageOf(message) };
}

/** Who sends: what `From` says, or one of the service's pool that fits the channel. */
function senderOf({ account, given, store }: Call, isWhatsApp: boolean): { from: string; serviceSid: string | null } {
  const from = textOf(given, 'From');
  const sid = textOf(given, 'MessagingServiceSid');
  if (!from && !sid) refuse(400, 21603, "A 'From' phone number is required.");
  const service = sid ? store.find('twilioService', account.sid, sid) : undefined;
  if (sid && service === undefined) refuse(404, 20404, `The requested resource /Services/${sid} was not found`);
  if (from) {
    if (from.startsWith('whatsapp:') !== isWhatsApp) refuse(400, 21910, "Invalid From and To pair. From and To should be of the same channel");
    const sender = isWhatsApp ? store.senderOf(account.sid, from) : undefined;
    if (isWhatsApp && !(sender?.status === 'ONLINE' || sender?.status === 'ONLINE:UPDATING')) refuse(400, 63007, 'Twilio could not find a Channel with the specified From address');
    if (!isWhatsApp && store.numberOf(account.sid, from)?.capabilities.sms !== true) refuse(400, 21606, `The 'From' phone number provided (${from}) is not a valid message-capable Twilio phone number for this destination/account`);
    return { from, serviceSid: service?.sid ?? null };
  }
  const pool = service?.pool ?? [];
  const found = isWhatsApp
    ? pool.map((one) => store.find('twilioSender', account.sid, one)).find((one) => one?.status === 'ONLINE')?.senderId
    : pool.map((one) => store.find('twilioNumber', account.sid, one)).find((one) => one?.capabilities.sms === true)?.phoneNumber;
  if (found === undefined) refuse(400, isWhatsApp ? 63007 : 21703, 'The Messaging Service has no sender for this message');
  return { from: found, serviceSid: service?.sid ?? null };
}

function bodyOf(call: Call, isWhatsApp: boolean): string {
  const { given, store, account } = call;
  const body = textOf(given, 'Body') ?? '';
  const media = listOf(given, 'MediaUrl');
  const contentSid = textOf(given, 'ContentSid');
  if (body.length > bodyLengthMax) refuse(400, 21617, `The concatenated message body exceeds the ${bodyLengthMax} character limit`);
  if (media.length > mediaMax[isWhatsApp ? 'whatsapp' : 'sms']) refuse(400, 21623, 'Number of media files exceeds allowed limit');
  if (contentSid) {
    if (body !== '' || media.length > 0) refuse(400, 20001, 'Body and MediaUrl do not go with ContentSid');
    const content = store.find('twilioContent', account.sid, contentSid);
    if (content === undefined) refuse(400, 21655, 'The ContentSid is invalid');
    return bodyOfContent(content, variablesOf(textOf(given, 'ContentVariables')));
  }
  if (body === '' && media.length === 0 && listOf(given, 'PersistentAction').length === 0) refuse(400, 21619, 'A text message body or media urls must be specified.');
  return body;
}

function variablesOf(text: string | undefined): Record<string, string> {
  try {
    const value: unknown = JSON.parse(text || '{}');
    if (typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every((one) => typeof one === 'string')) return value as Record<string, string>; // checked
  } catch {
    // said below
  }
  return refuse(400, 21656, 'The ContentVariables parameter is invalid');
}

/** A service alone sends later: 5 minutes to 35 days from now. */
function scheduleOf({ given, now }: Call, serviceSid: string | null): Date | undefined {
  const at = textOf(given, 'SendAt');
  if (textOf(given, 'ScheduleType') === undefined || at === undefined) return undefined;
  if (serviceSid === null) refuse(400, 35111, 'MessagingServiceSid is required to schedule a message');
  const inMs = Date.parse(at) - now.getTime();
  if (inMs < 5 * 60_000 || inMs > 35 * 86_400_000) refuse(400, 35114, 'SendAt is not between 5 minutes and 35 days from now');
  return new Date(at);
}

/** Newest first. `DateSent` is a whole day in GMT; with `<` and `>` a bound that belongs to it. */
function list(call: Call): Answer {
  const { given, store, account } = call;
  const [to, from, day] = [textOf(given, 'To'), textOf(given, 'From'), textOf(given, 'DateSent')?.slice(0, 10)];
  const [before, after] = [boundOf(textOf(given, 'DateSent<'), 'end'), boundOf(textOf(given, 'DateSent>'), 'start')];
  const found = store.list('twilioMessage', account.sid).filter((message) => {
    const at = message.sentAt ?? message.createdAt;
    return (to === undefined || message.to === to) && (from === undefined || message.from === from) && (day === undefined || at.startsWith(day)) && (before === undefined || at <= before) && (after === undefined || at >= after);
  });
  return pageAnswer2010(call, 'messages', found.toReversed(), messageOf);
}

function boundOf(text: string | undefined, side: 'start' | 'end'): string | undefined {
  if (text === undefined) return undefined;
  return /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T${side === 'start' ? '00:00:00.000' : '23:59:59.999'}Z` : new Date(text).toISOString();
}

/** An empty body redacts; `canceled` takes back what is scheduled. */
async function update(call: Call): Promise<Answer> {
  const message = messageAt(call);
  const status = textOf(call.given, 'Status');
  const body = textOf(call.given, 'Body');
  if (body !== undefined && body !== '') refuse(400, 20001, 'Only an empty Body can be set');
  if (status !== undefined && message.status !== 'scheduled') refuse(400, 30409, 'Message cannot be canceled');
  if (body === '') call.store.put('twilioMessage', message.sid, { ...message, body: '', updatedAt: call.now.toISOString() });
  if (status !== undefined) await call.life.advance(message.accountSid, message.sid, 'canceled');
  return { status: 200, json: messageOf(messageAt(call)) };
}

function remove(call: Call): Answer {
  const message = messageAt(call);
  for (const media of call.store.list('twilioMedia', call.account.sid)) if (media.parentSid === message.sid) call.store.remove('twilioMedia', call.account.sid, media.sid);
  call.store.remove('twilioMessage', call.account.sid, message.sid);
  return { status: 204 };
}

export function messageOf(message: TwilioMessage): Record<string, unknown> {
  const uri = `/2010-04-01/Accounts/${message.accountSid}/Messages/${message.sid}`;
  return {
    sid: message.sid,
    account_sid: message.accountSid,
    messaging_service_sid: message.serviceSid,
    from: message.from,
    to: message.to,
    body: message.body,
    direction: message.direction,
    status: message.status,
    num_segments: String(message.numSegments),
    num_media: String(message.numMedia),
    price: message.price,
    price_unit: 'USD',
    error_code: message.errorCode,
    error_message: message.errorMessage,
    api_version: '2010-04-01',
    date_created: rfc2822(message.createdAt),
    date_updated: rfc2822(message.updatedAt),
    date_sent: message.sentAt === null ? null : rfc2822(message.sentAt),
    uri: `${uri}.json`,
    subresource_uris: { media: `${uri}/Media.json` },
  };
}
