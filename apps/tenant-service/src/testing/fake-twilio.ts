import { listen, type Answer, type FakeProvider, type SeenCall } from './fake-providers.ts';

export type FakeNumber = { readonly sid: string; readonly phone_number: string; account: string; capabilities: { sms: boolean; voice: boolean; mms: boolean }; [field: string]: unknown };
export type FakeService = { readonly sid: string; readonly account: string; readonly pool: string[]; [field: string]: unknown };
export type FakeSender = { readonly sid: string; readonly account: string; readonly sender_id: string; status: string; webhook: Record<string, string> };
export type FakeTwilioAccount = { readonly sid: string; readonly owner: string; name: string; status: string; token: string; secondary: string | undefined; /** One that was replaced and still lets in to the API, though it signs nothing any more. */ former?: string };

/**
 * Twilio as far as connecting uses it, strict: who may ask what, which fields a call may have, and in which form. `main`: the platform's account.
 * `refuses`: calls that answer 503 (`POST …/IncomingPhoneNumbers`), by the end of method and path; `loses`: calls that happen, and answer 503 all the same.
 */
export type FakeTwilio = FakeProvider & {
  refuses: RegExp | undefined;
  loses: RegExp | undefined;
  /** What happens before a call is answered, by method and path. */
  readonly meanwhile: Map<string, () => Promise<void>>;
  /** Subaccounts that may be made. */
  subaccountsMax: number;
  readonly main: FakeTwilioAccount;
  readonly accounts: Map<string, FakeTwilioAccount>;
  readonly numbers: FakeNumber[];
  readonly services: FakeService[];
  readonly senders: FakeSender[];
  /** For sale, by country. */
  readonly forSale: Map<string, string[]>;
  readonly keys: Map<string, { readonly secret: string; readonly account: string }>;
  addAccount(owner?: string): FakeTwilioAccount;
  addNumber(account: string, phoneNumber: string): FakeNumber;
};

const urlFields = ['SmsUrl', 'SmsFallbackUrl', 'VoiceUrl', 'VoiceFallbackUrl', 'StatusCallback', 'InboundRequestUrl', 'FallbackUrl'];
const methodFields = ['SmsMethod', 'SmsFallbackMethod', 'VoiceMethod', 'VoiceFallbackMethod', 'StatusCallbackMethod', 'InboundMethod', 'FallbackMethod'];

/** Fields that each operation takes (twilio-oai, spec/json, as far as the hub sends them). */
const operations: readonly [RegExp, readonly string[]][] = [
  [/^POST \/2010-04-01\/Accounts\.json$/, ['FriendlyName']],
  [/^POST \/2010-04-01\/Accounts\/AC\w+\.json$/, ['Status']],
  [/^POST \/2010-04-01\/Accounts\/AC\w+\/IncomingPhoneNumbers\.json$/, ['PhoneNumber']],
  [/^POST \/2010-04-01\/Accounts\/AC\w+\/IncomingPhoneNumbers\/PN\w+\.json$/, [...urlFields.slice(0, 5), ...methodFields.slice(0, 5), 'AccountSid']],
  [/^POST \/v1\/Services\/MG\w+$/, ['InboundRequestUrl', 'InboundMethod', 'FallbackUrl', 'FallbackMethod', 'StatusCallback', 'UseInboundWebhookOnNumber']],
  [/^POST \/v1\/AuthTokens\/(Secondary|Promote)$/, []],
];

const serial = { next: 1 };
export const fakeSid = (prefix: string): string => `${prefix}${(serial.next++).toString(16).padStart(32, '0')}`;

export async function startFakeTwilio(): Promise<FakeTwilio> {
  const accounts = new Map<string, FakeTwilioAccount>();
  const addAccount = (owner?: string): FakeTwilioAccount => {
    const sid = fakeSid('AC');
    const account = { sid, owner: owner ?? sid, name: `Account ${sid.slice(-3)}`, status: 'active', token: `token-of-${sid}`, secondary: undefined };
    accounts.set(sid, account);
    return account;
  };
  const numbers: FakeNumber[] = [];
  const addNumber = (account: string, phoneNumber: string): FakeNumber => {
    const number = { sid: fakeSid('PN'), phone_number: phoneNumber, account, capabilities: { sms: true, voice: true, mms: true } };
    numbers.push(number);
    return number;
  };
  const state = { refuses: undefined as RegExp | undefined, loses: undefined as RegExp | undefined, meanwhile: new Map<string, () => Promise<void>>(), subaccountsMax: 1000, main: addAccount(), accounts, numbers, services: [] as FakeService[], senders: [] as FakeSender[], forSale: new Map<string, string[]>(), keys: new Map<string, { secret: string; account: string }>(), addAccount, addNumber };
  const fake = await listen(async (seen): Promise<Answer> => {
    // In the place of the sandbox's, too.
    const call = { ...seen, path: seen.path.replace(/^\/twilio(?=\/)/, '') };
    const line = `${call.method} ${call.path.split('?')[0]}`;
    if (state.refuses?.test(line) === true) return { status: 503, json: { code: 20503, message: 'Service unavailable', status: 503 } };
    await state.meanwhile.get(line)?.();
    const answer = answerTo(state, call, line);
    return state.loses?.test(line) === true ? { status: 503, json: { code: 20503, message: 'Service unavailable', status: 503 } } : answer;
  });
  return Object.assign(state, fake);
}

type State = Omit<FakeTwilio, keyof FakeProvider>;

const error = (status: number, code: number, message: string): Answer => ({ status, json: { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status } });
const notFound = error(404, 20404, 'The requested resource was not found');

function answerTo(state: State, call: SeenCall, line: string): Answer {
  const [user = '', password = ''] = Buffer.from(call.authorization.replace(/^Basic /, ''), 'base64').toString().split(':');
  const key = state.keys.get(user);
  const caller = key === undefined ? state.accounts.get(user) : key.secret === password ? state.accounts.get(key.account) : undefined;
  const isIn = key !== undefined || (caller !== undefined && [caller.token, caller.secondary, caller.former].includes(password));
  if (caller === undefined || !isIn || caller.status === 'closed') return error(401, 20003, `Authenticate (not with ${password})`);
  const form = new URLSearchParams(call.body);
  if (call.method === 'POST' && !line.includes('/v2/Channels/')) {
    const fields = operations.find(([operation]) => operation.test(line))?.[1];
    if (call.headers['content-type'] !== 'application/x-www-form-urlencoded' || fields === undefined) return error(400, 20001, 'not a form, or no such operation');
    const fault = [...form].find(([name, value]) => !fields.includes(name) || (urlFields.includes(name) && value !== '' && !/^https:\/\/[a-z0-9.-]+\/api\/webhooks\/\w+\?account=AC[0-9a-f]{32}#rc=3&rp=all$/.test(value)) || (methodFields.includes(name) && value !== 'POST'));
    if (fault !== undefined) return error(400, 20001, `no such field or value: ${fault[0]}`);
  }
  const [, sid, rest = ''] = /^\/2010-04-01\/Accounts(?:\/(AC\w+))?(\/[^?]*)?\.json/.exec(call.path) ?? [];
  if (call.path.startsWith('/2010-04-01/Accounts')) {
    const account = sid === undefined ? caller : state.accounts.get(sid);
    if (account === undefined || (account !== caller && account.owner !== caller.sid) || (key !== undefined && (account !== caller || rest === ''))) return error(401, 20003, 'Authenticate');
    return rest === '' ? answerAccounts(state, call, caller, sid === undefined ? undefined : account, form) : answerNumbers(state, call, caller, account, rest, form);
  }
  if (call.path.startsWith('/v1/AuthTokens/')) return answerTokens(call, caller);
  return answerMessaging(state, call, caller, form);
}

function answerAccounts(state: State, call: SeenCall, caller: FakeTwilioAccount, account: FakeTwilioAccount | undefined, form: URLSearchParams): Answer {
  const show = ({ sid, owner, name, status, token }: FakeTwilioAccount) => ({ sid, owner_account_sid: owner, friendly_name: name, status, type: 'Full', auth_token: token });
  if (account !== undefined) {
    const status = form.get('Status');
    if (call.method === 'POST' && status !== null) {
      if (caller === account) return error(403, 20003, 'Permission Denied');
      if (account.status === 'closed') return error(400, 20001, 'A closed account stays closed');
      account.status = status;
      if (status === 'closed') for (const number of state.numbers.filter((one) => one.account === account.sid)) state.numbers.splice(state.numbers.indexOf(number), 1);
    }
    return { status: 200, json: show(account) };
  }
  const own = [...state.accounts.values()].filter((one) => one === caller || one.owner === caller.sid);
  if (call.method === 'GET') {
    const name = new URL(call.path, 'http://x').searchParams.get('FriendlyName');
    return { status: 200, json: { accounts: own.filter((one) => name === null || one.name === name).map(show) } };
  }
  if (caller.owner !== caller.sid) return error(403, 20003, 'Permission Denied');
  if (own.length > state.subaccountsMax) return error(400, 20006, 'Maximum number of subaccounts reached');
  const made = state.addAccount(caller.sid);
  made.name = form.get('FriendlyName') ?? '';
  return { status: 201, json: show(made) };
}

function answerNumbers(state: State, call: SeenCall, caller: FakeTwilioAccount, account: FakeTwilioAccount, rest: string, form: URLSearchParams): Answer {
  const query = new URL(call.path, 'http://x').searchParams;
  const [, country, kind] = /^\/AvailablePhoneNumbers\/([A-Z]{2})\/(Local|Mobile|TollFree)$/.exec(rest) ?? [];
  if (country !== undefined && kind !== undefined) {
    const sold = state.forSale.get(country);
    return sold === undefined ? notFound : { status: 200, json: { available_phone_numbers: sold.filter((one) => one.includes(query.get('AreaCode') ?? '')).map((one) => ({ phone_number: one, capabilities: { SMS: true, voice: true } })) } };
  }
  const show = ({ account: of, ...number }: FakeNumber) => ({ ...number, account_sid: of });
  const own = state.numbers.filter((one) => one.account === account.sid);
  if (rest === '/IncomingPhoneNumbers') {
    const wanted = form.get('PhoneNumber') ?? query.get('PhoneNumber') ?? '';
    if (call.method === 'GET') return { status: 200, json: { incoming_phone_numbers: own.filter((one) => one.phone_number.includes(wanted)).map(show) } };
    const sold = [...state.forSale.values()].find((list) => list.includes(wanted));
    if (sold === undefined) return error(400, 21422, `${wanted} is not available`);
    if (wanted.startsWith('+49')) return error(400, 21631, 'Phone Number Requires an Address');
    sold.splice(sold.indexOf(wanted), 1);
    return { status: 201, json: show(state.addNumber(account.sid, wanted)) };
  }
  const number = own.find((one) => rest === `/IncomingPhoneNumbers/${one.sid}`);
  if (number === undefined) return notFound;
  if (call.method === 'POST') {
    const { AccountSid: target, ...settings } = Object.fromEntries(form);
    if (target !== undefined && target !== caller.sid && state.accounts.get(target)?.owner !== caller.sid) return error(400, 21405, 'not yours');
    Object.assign(number, snake(settings), target === undefined ? {} : { account: target });
  }
  return { status: 200, json: show(number) };
}

function answerTokens({ method, path }: SeenCall, caller: FakeTwilioAccount): Answer {
  if (path === '/v1/AuthTokens/Secondary' && method === 'POST') {
    if (caller.secondary !== undefined) return error(400, 20001, 'There is a secondary auth token already');
    caller.secondary = `next-token-${String(serial.next++)}`;
    return { status: 201, json: { account_sid: caller.sid, secondary_auth_token: caller.secondary } };
  }
  if (path === '/v1/AuthTokens/Secondary' && method === 'DELETE') {
    caller.secondary = undefined;
    return { status: 204, json: undefined };
  }
  if (path !== '/v1/AuthTokens/Promote' || method !== 'POST') return notFound;
  if (caller.secondary === undefined) return error(400, 20001, 'There is no secondary auth token');
  Object.assign(caller, { token: caller.secondary, secondary: undefined, ...(caller.former === undefined ? {} : { former: caller.token }) });
  return { status: 200, json: { account_sid: caller.sid, auth_token: caller.token } };
}

/** Of the account whose credentials are given, and of no other. */
function answerMessaging(state: State, call: SeenCall, caller: FakeTwilioAccount, form: URLSearchParams): Answer {
  const [, kind = '', sid, pooled] = /^\/v[12]\/(Services|Channels\/Senders)(?:\/(\w+))?(?:\/PhoneNumbers\/(PN\w+))?(?:\?|$)/.exec(call.path) ?? [];
  if (kind === 'Services') {
    const own = state.services.filter((one) => one.account === caller.sid);
    if (sid === undefined) return { status: 200, json: { services: own } };
    const service = own.find((one) => one.sid === sid);
    if (service === undefined || (pooled !== undefined && !service.pool.includes(pooled))) return notFound;
    if (call.method === 'POST') Object.assign(service, snake(Object.fromEntries(form)), form.has('UseInboundWebhookOnNumber') ? { use_inbound_webhook_on_number: form.get('UseInboundWebhookOnNumber') === 'true' } : {});
    return { status: 200, json: pooled === undefined ? service : { sid: pooled } };
  }
  if (kind !== 'Channels/Senders') return notFound;
  const own = state.senders.filter((one) => one.account === caller.sid);
  if (sid === undefined) return { status: 200, json: { senders: own, meta: { next_page_url: null } } };
  const sender = own.find((one) => one.sid === sid);
  if (sender === undefined) return notFound;
  if (call.method === 'POST') {
    if (call.headers['content-type'] !== 'application/json') return error(415, 20415, 'JSON is wanted');
    Object.assign(sender.webhook, (JSON.parse(call.body) as { webhook: Record<string, string> }).webhook);
  }
  return { status: call.method === 'POST' ? 202 : 200, json: sender };
}

/** `SmsUrl` → `sms_url`. */
function snake(fields: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name.replaceAll(/(?<!^)([A-Z])/g, '_$1').toLowerCase(), value]));
}
