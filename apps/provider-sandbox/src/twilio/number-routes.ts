import { randomInt } from 'node:crypto';
import type { Answer } from '../exchange.ts';
import { orMissing, pageAnswer2010, paging, rfc2822, type Call, type TwilioRoute } from './call.ts';
import { textOf, type Given, type Kinds } from './parameters.ts';
import { refuse } from './refusals.ts';
import type { TwilioNumber } from './rows.ts';
import { newSid, type TwilioStore } from './twilio-store.ts';

const numberSettings: Kinds = {
  ApiVersion: 'text',
  SmsApplicationSid: 'sid:AP',
  SmsFallbackMethod: 'method',
  SmsFallbackUrl: 'url',
  SmsMethod: 'method',
  SmsUrl: 'url',
  StatusCallback: 'url',
  StatusCallbackMethod: 'method',
  VoiceApplicationSid: 'sid:AP',
  VoiceCallerIdLookup: 'boolean',
  VoiceFallbackMethod: 'method',
  VoiceFallbackUrl: 'url',
  VoiceMethod: 'method',
  VoiceUrl: 'url',
  VoiceReceiveMode: 'enum:voice,fax',
  EmergencyStatus: 'enum:Active,Inactive',
  EmergencyAddressSid: 'sid:AD',
  TrunkSid: 'sid:TK',
  IdentitySid: 'sid:RI',
  AddressSid: 'sid:AD',
  BundleSid: 'sid:BU',
};

const searchParameters: Kinds = {
  AreaCode: 'integer',
  Contains: 'text',
  SmsEnabled: 'boolean',
  MmsEnabled: 'boolean',
  VoiceEnabled: 'boolean',
  FaxEnabled: 'boolean',
  ExcludeAllAddressRequired: 'boolean',
  ExcludeLocalAddressRequired: 'boolean',
  ExcludeForeignAddressRequired: 'boolean',
  Beta: 'boolean',
  NearNumber: 'text',
  NearLatLong: 'text',
  Distance: 'integer',
  InPostalCode: 'text',
  InRegion: 'text',
  InRateCenter: 'text',
  InLata: 'text',
  InLocality: 'text',
  ...paging,
};

/** Calling codes of the countries that have numbers here, and where their local ones begin. */
const countries: Readonly<Record<string, { code: string; areas: readonly string[]; digits: number }>> = {
  US: { code: '1', areas: ['415', '212', '312', '206'], digits: 10 },
  CA: { code: '1', areas: ['416', '604', '514'], digits: 10 },
  BR: { code: '55', areas: ['11', '21'], digits: 11 },
  GB: { code: '44', areas: ['20', '161'], digits: 10 },
  DE: { code: '49', areas: ['30', '89'], digits: 11 },
  FR: { code: '33', areas: ['1', '4'], digits: 9 },
  ES: { code: '34', areas: ['91', '93'], digits: 9 },
};

export const numberRoutes: TwilioRoute[] = [
  { operation: 'ListIncomingPhoneNumber', method: 'GET', path: '/IncomingPhoneNumbers.json', parameters: { Beta: 'boolean', FriendlyName: 'text', PhoneNumber: 'text', Origin: 'text', ...paging }, handle: list },
  { operation: 'CreateIncomingPhoneNumber', method: 'POST', path: '/IncomingPhoneNumbers.json', parameters: { ...numberSettings, FriendlyName: 'text', PhoneNumber: 'text', AreaCode: 'text' }, handle: buy },
  { operation: 'FetchIncomingPhoneNumber', method: 'GET', path: '/IncomingPhoneNumbers/:sid.json', handle: (call) => ({ status: 200, json: numberOf(numberAt(call)) }) },
  { operation: 'UpdateIncomingPhoneNumber', method: 'POST', path: '/IncomingPhoneNumbers/:sid.json', parameters: { ...numberSettings, FriendlyName: 'text', AccountSid: 'sid:AC' }, handle: update },
  { operation: 'DeleteIncomingPhoneNumber', method: 'DELETE', path: '/IncomingPhoneNumbers/:sid.json', handle: remove },
  ...(['Local', 'Mobile', 'TollFree'] as const).map(
    (kind): TwilioRoute => ({ operation: `ListAvailablePhoneNumber${kind}`, method: 'GET', path: `/AvailablePhoneNumbers/:country/${kind}.json`, parameters: searchParameters, handle: (call) => search(call, kind) }),
  ),
];

/** Settings of a number that Twilio has without being told. */
const defaults: Readonly<Record<string, string>> = { SmsMethod: 'POST', SmsFallbackMethod: 'POST', VoiceMethod: 'POST', VoiceFallbackMethod: 'POST', StatusCallbackMethod: 'POST' };

export function addNumber(store: TwilioStore, given: Pick<TwilioNumber, 'accountSid' | 'phoneNumber'> & Partial<TwilioNumber>, now: Date): TwilioNumber {
  const number: TwilioNumber = {
    sid: newSid('PN'),
    friendlyName: given.phoneNumber,
    country: countryOf(given.phoneNumber),
    capabilities: { voice: true, sms: true, mms: true, fax: false },
    createdAt: now.toISOString(),
    updatedAt: now.toISOString(),
    settings: {},
    ...given,
  };
  store.put('twilioNumber', number.sid, number);
  return number;
}

function numberAt(call: Call): TwilioNumber {
  return orMissing(call.store.find('twilioNumber', call.account.sid, call.match[1] ?? ''), call);
}

/** `PhoneNumber` may be a part of one, with `*` for any digit. */
function list(call: Call): Answer {
  const wanted = textOf(call.given, 'PhoneNumber');
  const name = textOf(call.given, 'FriendlyName');
  const pattern = wanted === undefined ? undefined : new RegExp(wanted.replaceAll(/[^\d*+]/g, '').replaceAll('+', '\\+').replaceAll('*', '\\d'));
  const found = call.store.list('twilioNumber', call.account.sid).filter((number) => (pattern === undefined || pattern.test(number.phoneNumber)) && (name === undefined || number.friendlyName === name));
  return pageAnswer2010(call, 'incoming_phone_numbers', found.toReversed(), numberOf);
}

function buy(call: Call): Answer {
  const { given, store, account } = call;
  if (account.status !== 'active') refuse(403, 20003, 'The account is not active');
  const areaCode = textOf(given, 'AreaCode');
  const phoneNumber = textOf(given, 'PhoneNumber') ?? (areaCode === undefined ? undefined : freeNumbers(store, 'US', areaCode, 1)[0]);
  if (phoneNumber === undefined) refuse(400, areaCode === undefined ? 21421 : 21452, areaCode === undefined ? 'PhoneNumber or AreaCode is needed' : `No phone numbers found in area code ${areaCode}`);
  if (!/^\+[1-9]\d{6,14}$/.test(phoneNumber)) refuse(400, 21421, 'PhoneNumber is invalid');
  if (store.numberOwner(phoneNumber) !== undefined) refuse(400, 21422, `${phoneNumber} is not available`);
  const number = addNumber(store, { accountSid: account.sid, phoneNumber, friendlyName: textOf(given, 'FriendlyName') ?? phoneNumber, settings: settingsOf({}, given) }, call.now);
  return { status: 201, json: numberOf(number) };
}

/** `AccountSid` moves the number: from parent to subaccount, back, or between two of them; that takes the parent's credentials. */
function update(call: Call): Answer {
  const { given, store, account, caller } = call;
  const number = numberAt(call);
  const target = textOf(given, 'AccountSid') || account.sid;
  const to = store.account(target);
  const isReached = target === account.sid || (caller.by === 'token' && (target === caller.account.sid || to?.ownerSid === caller.account.sid));
  if (to === undefined || !isReached) refuse(400, 21405, `The account ${target} cannot be given the number`);
  const changed: TwilioNumber = { ...number, accountSid: target, friendlyName: textOf(given, 'FriendlyName') ?? number.friendlyName, settings: settingsOf(number.settings, given), updatedAt: call.now.toISOString() };
  if (target !== account.sid) {
    store.remove('twilioNumber', account.sid, number.sid);
    const service = store.serviceOf(account.sid, number.sid);
    if (service !== undefined) store.put('twilioService', service.sid, { ...service, pool: service.pool.filter((sid) => sid !== number.sid) });
  }
  store.put('twilioNumber', number.sid, changed);
  return { status: 200, json: numberOf(changed) };
}

function remove(call: Call): Answer {
  call.store.remove('twilioNumber', call.account.sid, numberAt(call).sid);
  return { status: 204 };
}

function settingsOf(before: TwilioNumber['settings'], given: Given): TwilioNumber['settings'] {
  const changed = Object.keys(numberSettings).flatMap((name): [string, string][] => {
    const value = textOf(given, name);
    return value === undefined ? [] : [[name, name.endsWith('Method') ? value.toUpperCase() : value]];
  });
  return { ...before, ...Object.fromEntries(changed) };
}

function search(call: Call, kind: 'Local' | 'Mobile' | 'TollFree'): Answer {
  const country = call.match[1] ?? '';
  if (countries[country] === undefined) refuse(404, 20404, `The requested resource ${call.path} was not found`);
  const area = kind === 'TollFree' && (country === 'US' || country === 'CA') ? '800' : textOf(call.given, 'AreaCode');
  const contains = textOf(call.given, 'Contains')?.replaceAll(/\D/g, '');
  const found = freeNumbers(call.store, country, area, 20).filter((number) => contains === undefined || number.includes(contains));
  return {
    status: 200,
    json: {
      available_phone_numbers: found.map((phoneNumber) => ({
        friendly_name: phoneNumber,
        phone_number: phoneNumber,
        lata: null,
        locality: null,
        rate_center: null,
        latitude: null,
        longitude: null,
        region: null,
        postal_code: null,
        iso_country: country,
        address_requirements: 'none',
        beta: false,
        capabilities: { voice: true, sms: true, mms: country === 'US' || country === 'CA', fax: false },
      })),
      uri: call.path,
    },
  };
}

/** Numbers that nobody has. */
export function freeNumbers(store: TwilioStore, country: string, areaCode: string | undefined, count: number): string[] {
  const rule = countries[country];
  if (rule === undefined) return [];
  const found = new Set<string>();
  for (let attempt = 0; found.size < count && attempt < count * 20; attempt++) {
    const area = areaCode ?? rule.areas[randomInt(rule.areas.length)] ?? '';
    const rest = Array.from({ length: Math.max(rule.digits - area.length, 4) }, (_none, index) => (index === 0 ? randomInt(2, 10) : randomInt(10))).join('');
    const phoneNumber = `+${rule.code}${area}${rest}`;
    if (store.numberOwner(phoneNumber) === undefined) found.add(phoneNumber);
  }
  return [...found];
}

export function countryOf(phoneNumber: string): string {
  return Object.entries(countries).find(([, { code }]) => phoneNumber.startsWith(`+${code}`))?.[0] ?? 'US';
}

export function numberOf(number: TwilioNumber): Record<string, unknown> {
  const { settings, accountSid, sid } = number;
  const text = (name: string) => settings[name] || (defaults[name] ?? '');
  // What is not set is empty or null, each field as in the examples of Twilio's OpenAPI.
  const optional = (name: string) => settings[name] || null;
  return {
    sid,
    account_sid: accountSid,
    phone_number: number.phoneNumber,
    friendly_name: number.friendlyName,
    api_version: text('ApiVersion') || '2010-04-01',
    address_requirements: 'none',
    address_sid: optional('AddressSid'),
    identity_sid: optional('IdentitySid'),
    bundle_sid: optional('BundleSid'),
    trunk_sid: optional('TrunkSid'),
    beta: false,
    origin: 'twilio',
    status: 'in-use',
    type: 'local',
    capabilities: { ...number.capabilities },
    sms_url: text('SmsUrl'),
    sms_method: text('SmsMethod'),
    sms_fallback_url: text('SmsFallbackUrl'),
    sms_fallback_method: text('SmsFallbackMethod'),
    sms_application_sid: text('SmsApplicationSid'),
    voice_url: optional('VoiceUrl'),
    voice_method: text('VoiceMethod'),
    voice_fallback_url: optional('VoiceFallbackUrl'),
    voice_fallback_method: text('VoiceFallbackMethod'),
    voice_application_sid: text('VoiceApplicationSid'),
    voice_caller_id_lookup: text('VoiceCallerIdLookup').toLowerCase() === 'true',
    voice_receive_mode: settings['VoiceReceiveMode'] ?? 'voice',
    status_callback: text('StatusCallback'),
    status_callback_method: text('StatusCallbackMethod'),
    emergency_status: settings['EmergencyStatus'] ?? 'Inactive',
    emergency_address_sid: optional('EmergencyAddressSid'),
    emergency_address_status: 'unregistered',
    date_created: rfc2822(number.createdAt),
    date_updated: rfc2822(number.updatedAt),
    uri: `/2010-04-01/Accounts/${accountSid}/IncomingPhoneNumbers/${sid}.json`,
  };
}
