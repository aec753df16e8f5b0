import type { Answer } from '../exchange.ts';
import { orMissing, pageAnswer2010, paging, rfc2822, type Call, type TwilioRoute } from './call.ts';
import { textOf } from './parameters.ts';
import { notAllowed, refuse, Refused } from './refusals.ts';
import type { TwilioAccount, TwilioKey } from './rows.ts';
import { newSid, newToken, type TwilioStore } from './twilio-store.ts';

/** Paths begin behind /2010-04-01/Accounts. */
export const accountRoutes: TwilioRoute[] = [
  { operation: 'CreateAccount', method: 'POST', path: '.json', parameters: { FriendlyName: 'text' }, tokenOnly: true, handle: create },
  { operation: 'ListAccount', method: 'GET', path: '.json', parameters: { FriendlyName: 'text', Status: 'enum:active,suspended,closed', ...paging }, tokenOnly: true, handle: list },
  { operation: 'FetchAccount', method: 'GET', path: '/:sid.json', tokenOnly: true, handle: (call) => ({ status: 200, json: accountOf(call.account) }) },
  { operation: 'UpdateAccount', method: 'POST', path: '/:sid.json', parameters: { FriendlyName: 'text', Status: 'enum:active,suspended,closed' }, tokenOnly: true, handle: update },
];

/** Paths begin behind /2010-04-01/Accounts/{AccountSid}. */
export const keyRoutes: TwilioRoute[] = [
  { operation: 'CreateNewKey', method: 'POST', path: '/Keys.json', parameters: { FriendlyName: 'text' }, tokenOnly: true, handle: createKey },
  { operation: 'ListKey', method: 'GET', path: '/Keys.json', parameters: paging, tokenOnly: true, handle: (call) => pageAnswer2010(call, 'keys', call.store.list('twilioKey', call.account.sid), keyOf) },
  { operation: 'FetchKey', method: 'GET', path: '/Keys/:sid.json', tokenOnly: true, handle: (call) => ({ status: 200, json: keyOf(keyAt(call)) }) },
  { operation: 'DeleteKey', method: 'DELETE', path: '/Keys/:sid.json', tokenOnly: true, handle: removeKey },
];

export function addAccount(store: TwilioStore, given: Partial<TwilioAccount>, now: Date): TwilioAccount {
  const sid = given.sid ?? newSid('AC');
  const at = now.toISOString();
  return store.putAccount({
    sid,
    ownerSid: sid,
    friendlyName: `${at}`,
    status: 'active',
    authToken: newToken(),
    secondaryToken: null,
    createdAt: at,
    updatedAt: at,
    receipts: 'delivered',
    mediaAuth: false,
    mediaRedirect: null,
    advancedOptOut: false,
    ...given,
  });
}

/** Subaccounts have no subaccounts. */
function create(call: Call): Answer {
  const owner = call.caller.account;
  if (owner.ownerSid !== owner.sid) throw new Refused(notAllowed());
  const account = addAccount(call.store, { ownerSid: owner.sid, friendlyName: textOf(call.given, 'FriendlyName') ?? `SubAccount Created at ${call.now.toISOString().slice(0, 16).replace('T', ' ')}`, receipts: owner.receipts }, call.now);
  return { status: 201, json: accountOf(account) };
}

function list(call: Call): Answer {
  const name = textOf(call.given, 'FriendlyName');
  const status = textOf(call.given, 'Status');
  const own = call.caller.account;
  const seen = call.store.accounts().filter((account) => account.sid === own.sid || account.ownerSid === own.sid);
  return pageAnswer2010(call, 'accounts', seen.filter((account) => (name === undefined || account.friendlyName === name) && (status === undefined || account.status === status)).toReversed(), accountOf);
}

/** Only a parent changes a subaccount's status, and a closed one stays closed. */
function update(call: Call): Answer {
  const { account, caller, given, store } = call;
  const status = textOf(given, 'Status');
  if (status !== undefined && status !== account.status) {
    if (caller.account.sid === account.sid) throw new Refused(notAllowed());
    if (account.status === 'closed') refuse(400, 20001, 'A closed account stays closed');
    if (caller.account.status === 'suspended') refuse(400, 21476, 'The parent account is suspended');
  }
  // A union of texts that `parameters` has checked.
  const changed = store.putAccount({ ...account, friendlyName: textOf(given, 'FriendlyName') ?? account.friendlyName, status: (status as TwilioAccount['status'] | undefined) ?? account.status, updatedAt: call.now.toISOString() });
  if (changed.status === 'closed') for (const number of store.list('twilioNumber', account.sid)) store.remove('twilioNumber', account.sid, number.sid);
  return { status: 200, json: accountOf(changed) };
}

const accountParts = ['available_phone_numbers', 'calls', 'conferences', 'incoming_phone_numbers', 'notifications', 'outgoing_caller_ids', 'recordings', 'transcriptions', 'addresses', 'signing_keys', 'connect_apps', 'sip', 'authorized_connect_apps', 'usage', 'keys', 'applications', 'short_codes', 'queues', 'messages', 'balance'];

function accountOf(account: TwilioAccount): Record<string, unknown> {
  const uri = `/2010-04-01/Accounts/${account.sid}`;
  const camel = (name: string) => name.replaceAll(/(^|_)([a-z])/g, (_all, _bar, letter: string) => letter.toUpperCase());
  return {
    sid: account.sid,
    owner_account_sid: account.ownerSid,
    friendly_name: account.friendlyName,
    status: account.status,
    type: 'Full',
    auth_token: account.authToken,
    date_created: rfc2822(account.createdAt),
    date_updated: rfc2822(account.updatedAt),
    uri: `${uri}.json`,
    subresource_uris: Object.fromEntries(accountParts.map((name) => [name, `${uri}/${camel(name)}.json`])),
  };
}

function createKey(call: Call): Answer {
  const key: TwilioKey = { sid: newSid('SK'), accountSid: call.account.sid, friendlyName: textOf(call.given, 'FriendlyName') ?? '', secret: newToken(), createdAt: call.now.toISOString() };
  call.store.put('twilioKey', key.sid, key);
  return { status: 201, json: { ...keyOf(key), secret: key.secret } };
}

function keyAt(call: Call): TwilioKey {
  return orMissing(call.store.find('twilioKey', call.account.sid, call.match[1] ?? ''), call);
}

function removeKey(call: Call): Answer {
  call.store.remove('twilioKey', call.account.sid, keyAt(call).sid);
  return { status: 204 };
}

function keyOf(key: TwilioKey): Record<string, unknown> {
  return { sid: key.sid, friendly_name: key.friendlyName, date_created: rfc2822(key.createdAt), date_updated: rfc2822(key.createdAt) };
}
