import { isRecord, type Answer } from '../exchange.ts';
import { orMissing, pageAnswer, paging, type Call, type TwilioRoute } from './call.ts';
import { readJsonParameters, textOf, type Kinds } from './parameters.ts';
import { refuse } from './refusals.ts';
import type { TwilioSender } from './rows.ts';
import { newSid } from './twilio-store.ts';

const senderParameters: Kinds = { friendly_name: 'text', configuration: 'object', webhook: 'object', profile: 'object' };
/** Names that each part of a sender may have. */
const parts: Readonly<Record<'configuration' | 'webhook' | 'profile', readonly string[]>> = {
  configuration: ['waba_id', 'verification_method', 'verification_code', 'voice_application_sid', 'account_type'],
  webhook: ['callback_url', 'callback_method', 'fallback_url', 'fallback_method', 'status_callback_url', 'status_callback_method'],
  profile: ['name', 'about', 'address', 'description', 'logo_url', 'banner_url', 'privacy_url', 'terms_of_service_url', 'accent_color', 'use_case', 'vertical', 'websites', 'emails', 'phone_numbers'],
};

/** Of the messaging API; the subaccount's own credentials alone: a parent's act on the parent. */
export const senderRoutes: TwilioRoute[] = [
  { operation: 'CreateChannelsSender', method: 'POST', path: '/v2/Channels/Senders', parameters: { ...senderParameters, sender_id: 'text!' }, isJson: true, handle: create },
  { operation: 'ListChannelsSender', method: 'GET', path: '/v2/Channels/Senders', parameters: { Channel: 'text!', ...paging }, handle: list },
  { operation: 'FetchChannelsSender', method: 'GET', path: '/v2/Channels/Senders/:sid', handle: (call) => ({ status: 200, json: senderOf(call, senderAt(call)) }) },
  { operation: 'UpdateChannelsSender', method: 'POST', path: '/v2/Channels/Senders/:sid', parameters: senderParameters, isJson: true, handle: update },
  { operation: 'DeleteChannelsSender', method: 'DELETE', path: '/v2/Channels/Senders/:sid', handle: remove },
  { operation: 'CreateTypingIndicator', method: 'POST', path: '/v2/Indicators/Typing.json', parameters: { channel: 'enum:whatsapp!', messageId: 'sid:SM,MM!' }, handle: type },
];

function senderAt(call: Call): TwilioSender {
  return orMissing(call.store.find('twilioSender', call.account.sid, call.match[0] ?? ''), call);
}

/** It has to be verified with Meta before it is ONLINE: the control API says when. */
function create(call: Call): Answer {
  const given = readJsonParameters(call.json, { ...senderParameters, sender_id: 'text!' });
  const senderId = String(given['sender_id']);
  if (!/^whatsapp:\+[1-9]\d{6,14}$/.test(senderId)) refuse(400, 20001, 'sender_id is not valid: use whatsapp:+…');
  if (call.store.senderOf(call.account.sid, senderId) !== undefined) refuse(409, 63100, 'The sender is there already');
  const sender: TwilioSender = { sid: newSid('XE'), accountSid: call.account.sid, senderId, status: 'CREATING', friendlyName: null, configuration: {}, webhook: {}, profile: {} };
  const changed = changedBy(sender, given);
  call.store.put('twilioSender', sender.sid, changed);
  return { status: 202, json: senderOf(call, changed) };
}

function list(call: Call): Answer {
  const channel = textOf(call.given, 'Channel');
  return pageAnswer(call, 'senders', call.store.list('twilioSender', call.account.sid).filter(({ senderId }) => senderId.startsWith(`${channel}:`)), (sender) => senderOf(call, sender));
}

/** The answer has what was changed; the other parts are null. */
function update(call: Call): Answer {
  const given = readJsonParameters(call.json, senderParameters);
  const sender = changedBy(senderAt(call), given);
  call.store.put('twilioSender', sender.sid, sender);
  const part = (name: keyof typeof parts, value: unknown) => (given[name] === undefined || given[name] === null ? null : value);
  const { configuration, webhook, profile, ...rest } = senderOf(call, sender);
  return { status: 202, json: { ...rest, configuration: part('configuration', configuration), webhook: part('webhook', webhook), profile: part('profile', profile) } };
}

function remove(call: Call): Answer {
  call.store.remove('twilioSender', call.account.sid, senderAt(call).sid);
  return { status: 204 };
}

function changedBy(sender: TwilioSender, given: Readonly<Record<string, unknown>>): TwilioSender {
  const part = (name: keyof typeof parts): Readonly<Record<string, unknown>> => {
    const value = given[name];
    if (!isRecord(value)) return sender[name];
    for (const key of Object.keys(value)) if (!parts[name].includes(key)) refuse(400, 20001, `Unknown parameter: ${name}.${key}`);
    for (const key of Object.keys(value).filter((one) => name === 'webhook' && one.endsWith('_method'))) if (!['POST', 'PUT', null].includes(value[key] as string | null)) refuse(400, 20001, `webhook.${key} is POST or PUT`);
    return { ...sender[name], ...value };
  };
  return { ...sender, friendlyName: typeof given['friendly_name'] === 'string' ? given['friendly_name'] : sender.friendlyName, configuration: part('configuration'), webhook: part('webhook'), profile: part('profile') };
}

function senderOf(call: Pick<Call, 'baseUrl'>, sender: TwilioSender): Record<string, unknown> {
  const filled = (name: keyof typeof parts) => Object.fromEntries(parts[name].map((key) => [key, sender[name][key] ?? null]));
  return {
    sid: sender.sid,
    status: sender.status,
    sender_id: sender.senderId,
    friendly_name: sender.friendlyName,
    configuration: filled('configuration'),
    webhook: filled('webhook'),
    profile: filled('profile'),
    properties: sender.status === 'ONLINE' ? { quality_rating: 'HIGH', messaging_limit: '1K Customers/24hr' } : null,
    offline_reasons: sender.status === 'OFFLINE' ? [{ code: '63020', message: 'The sender is offline', more_info: 'https://www.twilio.com/docs/errors/63020' }] : null,
    compliance: null,
    url: `${call.baseUrl}/v2/Channels/Senders/${sender.sid}`,
  };
}

/** Marks the contact's message as read, too. */
function type(call: Call): Answer {
  const message = call.store.find('twilioMessage', call.account.sid, textOf(call.given, 'messageId') ?? '');
  if (message === undefined || message.direction !== 'inbound' || !message.from.startsWith('whatsapp:')) refuse(404, 20404, 'There is no such message of a WhatsApp contact');
  return { status: 200, json: { success: true } };
}
