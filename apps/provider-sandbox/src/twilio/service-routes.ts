import type { Answer } from '../exchange.ts';
import { isoTime, orMissing, pageAnswer, paging, type Call, type TwilioRoute } from './call.ts';
import { countryOf } from './number-routes.ts';
import { textOf, type Given, type Kinds } from './parameters.ts';
import { refuse } from './refusals.ts';
import type { TwilioNumber, TwilioSender, TwilioService } from './rows.ts';
import { newSid } from './twilio-store.ts';

const serviceSettings: Kinds = {
  FriendlyName: 'text',
  InboundRequestUrl: 'url',
  InboundMethod: 'method',
  FallbackUrl: 'url',
  FallbackMethod: 'method',
  StatusCallback: 'url',
  StickySender: 'boolean',
  MmsConverter: 'boolean',
  SmartEncoding: 'boolean',
  ScanMessageContent: 'enum:inherit,enable,disable',
  FallbackToLongCode: 'boolean',
  AreaCodeGeomatch: 'boolean',
  ValidityPeriod: 'integer',
  SynchronousValidation: 'boolean',
  Usecase: 'text',
  UseInboundWebhookOnNumber: 'boolean',
};

export const serviceRoutes: TwilioRoute[] = [
  { operation: 'CreateService', method: 'POST', path: '/v1/Services', parameters: { ...serviceSettings, FriendlyName: 'text!' }, handle: create },
  { operation: 'ListService', method: 'GET', path: '/v1/Services', parameters: paging, handle: (call) => pageAnswer(call, 'services', call.store.list('twilioService', call.account.sid), (service) => serviceOf(call, service)) },
  { operation: 'FetchService', method: 'GET', path: '/v1/Services/:sid', handle: (call) => ({ status: 200, json: serviceOf(call, serviceAt(call)) }) },
  { operation: 'UpdateService', method: 'POST', path: '/v1/Services/:sid', parameters: serviceSettings, handle: update },
  { operation: 'DeleteService', method: 'DELETE', path: '/v1/Services/:sid', handle: remove },
  { operation: 'ListPhoneNumber', method: 'GET', path: '/v1/Services/:sid/PhoneNumbers', parameters: paging, handle: listNumbers },
  { operation: 'CreatePhoneNumber', method: 'POST', path: '/v1/Services/:sid/PhoneNumbers', parameters: { PhoneNumberSid: 'sid:PN!' }, handle: addToPool },
  { operation: 'FetchPhoneNumber', method: 'GET', path: '/v1/Services/:sid/PhoneNumbers/:number', handle: (call) => ({ status: 200, json: pooledOf(call, serviceAt(call), numberAt(call)) }) },
  { operation: 'DeletePhoneNumber', method: 'DELETE', path: '/v1/Services/:sid/PhoneNumbers/:number', handle: (call) => takeOut(call, numberAt(call).sid) },
  { operation: 'ListChannelSender', method: 'GET', path: '/v1/Services/:sid/ChannelSenders', parameters: paging, handle: listSenders },
];

export function serviceAt(call: Call): TwilioService {
  return orMissing(call.store.find('twilioService', call.account.sid, call.match[0] ?? ''), call);
}

function create(call: Call): Answer {
  const at = call.now.toISOString();
  const service: TwilioService = { sid: newSid('MG'), accountSid: call.account.sid, createdAt: at, updatedAt: at, settings: settingsOf({}, call.given), pool: [] };
  call.store.put('twilioService', service.sid, service);
  return { status: 201, json: serviceOf(call, service) };
}

function update(call: Call): Answer {
  const service = serviceAt(call);
  const changed: TwilioService = { ...service, settings: settingsOf(service.settings, call.given), updatedAt: call.now.toISOString() };
  call.store.put('twilioService', service.sid, changed);
  return { status: 200, json: serviceOf(call, changed) };
}

function remove(call: Call): Answer {
  call.store.remove('twilioService', call.account.sid, serviceAt(call).sid);
  return { status: 204 };
}

function settingsOf(before: TwilioService['settings'], given: Given): TwilioService['settings'] {
  return { ...before, ...Object.fromEntries(Object.keys(serviceSettings).flatMap((name): [string, string][] => (textOf(given, name) === undefined ? [] : [[name, textOf(given, name) ?? '']]))) };
}

/** A number is in one service at most: 21710 where it is in this one, 21712 in another. */
function addToPool(call: Call): Answer {
  const service = serviceAt(call);
  const sid = textOf(call.given, 'PhoneNumberSid') ?? '';
  const number = call.store.find('twilioNumber', call.account.sid, sid);
  if (number === undefined) refuse(404, 20404, `The requested resource ${sid} was not found`);
  const taken = call.store.serviceOf(call.account.sid, sid);
  if (taken !== undefined) refuse(409, taken.sid === service.sid ? 21710 : 21712, 'Phone Number or Short Code is already in a Messaging Service');
  call.store.put('twilioService', service.sid, { ...service, pool: [...service.pool, sid] });
  return { status: 201, json: pooledOf(call, service, number) };
}

function takeOut(call: Call, sid: string): Answer {
  const service = serviceAt(call);
  call.store.put('twilioService', service.sid, { ...service, pool: service.pool.filter((one) => one !== sid) });
  return { status: 204 };
}

function numberAt(call: Call): TwilioNumber {
  const sid = call.match[1] ?? '';
  return orMissing(serviceAt(call).pool.includes(sid) ? call.store.find('twilioNumber', call.account.sid, sid) : undefined, call);
}

function listNumbers(call: Call): Answer {
  const service = serviceAt(call);
  const numbers = service.pool.flatMap((sid) => call.store.find('twilioNumber', call.account.sid, sid) ?? []);
  return pageAnswer(call, 'phone_numbers', numbers, (number) => pooledOf(call, service, number));
}

function listSenders(call: Call): Answer {
  const service = serviceAt(call);
  const senders = service.pool.flatMap((sid) => call.store.find('twilioSender', call.account.sid, sid) ?? []);
  return pageAnswer(call, 'senders', senders, (sender) => pooledSenderOf(call, service, sender));
}

function pooledOf(call: Call, service: TwilioService, number: TwilioNumber): Record<string, unknown> {
  const { voice, sms, mms } = number.capabilities;
  return {
    sid: number.sid,
    account_sid: number.accountSid,
    service_sid: service.sid,
    phone_number: number.phoneNumber,
    country_code: number.country,
    capabilities: [...(voice ? ['Voice'] : []), ...(sms ? ['SMS'] : []), ...(mms ? ['MMS'] : [])],
    date_created: isoTime(number.createdAt),
    date_updated: isoTime(number.updatedAt),
    url: `${call.baseUrl}/v1/Services/${service.sid}/PhoneNumbers/${number.sid}`,
  };
}

function pooledSenderOf(call: Call, service: TwilioService, sender: TwilioSender): Record<string, unknown> {
  return {
    sid: sender.sid,
    account_sid: sender.accountSid,
    messaging_service_sid: service.sid,
    sender: sender.senderId,
    sender_type: 'WhatsApp',
    country_code: countryOf(sender.senderId.replace(/^whatsapp:/, '')),
    date_created: isoTime(service.createdAt),
    date_updated: isoTime(service.updatedAt),
    url: `${call.baseUrl}/v1/Services/${service.sid}/ChannelSenders/${sender.sid}`,
  };
}

function serviceOf(call: Call, service: TwilioService): Record<string, unknown> {
  const { settings } = service;
  const isOn = (name: string, otherwise: boolean) => (settings[name] === undefined ? otherwise : settings[name].toLowerCase() === 'true');
  const url = `${call.baseUrl}/v1/Services/${service.sid}`;
  return {
    sid: service.sid,
    account_sid: service.accountSid,
    friendly_name: settings['FriendlyName'] ?? '',
    inbound_request_url: settings['InboundRequestUrl'] || null,
    inbound_method: settings['InboundMethod'] ?? 'POST',
    fallback_url: settings['FallbackUrl'] || null,
    fallback_method: settings['FallbackMethod'] ?? 'POST',
    status_callback: settings['StatusCallback'] || null,
    sticky_sender: isOn('StickySender', true),
    mms_converter: isOn('MmsConverter', true),
    smart_encoding: isOn('SmartEncoding', true),
    scan_message_content: settings['ScanMessageContent'] ?? 'inherit',
    fallback_to_long_code: isOn('FallbackToLongCode', true),
    area_code_geomatch: isOn('AreaCodeGeomatch', true),
    synchronous_validation: isOn('SynchronousValidation', false),
    validity_period: Number(settings['ValidityPeriod'] ?? 36_000),
    usecase: settings['Usecase'] ?? 'undeclared',
    us_app_to_person_registered: false,
    use_inbound_webhook_on_number: isOn('UseInboundWebhookOnNumber', false),
    date_created: isoTime(service.createdAt),
    date_updated: isoTime(service.updatedAt),
    url,
    links: Object.fromEntries(Object.entries({ phone_numbers: 'PhoneNumbers', short_codes: 'ShortCodes', alpha_senders: 'AlphaSenders', us_app_to_person: 'Compliance/Usa2p', us_app_to_person_usecases: 'Compliance/Usa2p/Usecases', channel_senders: 'ChannelSenders', destination_alpha_senders: 'DestinationAlphaSenders', messages: 'Messages' }).map(([name, path]) => [name, `${url}/${path}`])),
  };
}
