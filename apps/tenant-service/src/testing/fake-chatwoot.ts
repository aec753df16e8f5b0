import { findRequestFault } from './chatwoot-requests.ts';
import { listen, type Answer, type FakeProvider, type SeenCall } from './fake-providers.ts';

type Inbox = { id: number; name: string; channel_type: string; webhook_url: string; secret: string; website_token?: string; bot?: number };
type Webhook = { id: number; url: string; subscriptions: string[]; secret: string };
type Bot = { id: number; name: string; access_token: string };
export type FakeAccount = { token: string; readonly inboxes: Inbox[]; readonly webhooks: Webhook[]; readonly bots: Bot[] };

/** A Chatwoot server as far as connecting uses it, also in the place of the sandbox's (under `/chatwoot`): `version` says whether it signs, `refuses` which calls answer 500 (`POST /webhooks`), `quotes` that all others are refused with the token in the words. */
export type FakeChatwoot = FakeProvider & { version: string; refuses: string | undefined; quotes: boolean; readonly accounts: Map<string, FakeAccount> };

export async function startFakeChatwoot(accountIds: readonly string[] = ['1']): Promise<FakeChatwoot> {
  const emptyAccount = (id: string): FakeAccount => ({ token: `admin-token-of-${id}`, inboxes: [], webhooks: [], bots: [] });
  const state = { version: '4.15.1', refuses: undefined as string | undefined, quotes: false, accounts: new Map(accountIds.map((id) => [id, emptyAccount(id)])) };
  let lastId = 100;
  const fake = await listen((call): Answer => {
    const path = call.path.replace(/^\/chatwoot(?=\/)/, '');
    if (path === '/api') return { status: 200, json: { version: state.version, timestamp: '2026-11-21 12:00:00', queue_services: 'ok', data_services: 'ok' } };
    const [, accountId = '', rest = ''] = /^\/api\/v1\/accounts\/(\d+)(\/.*)$/.exec(path) ?? [];
    const account = state.accounts.get(accountId);
    if (call.headers['api_access_token'] !== account?.token || account === undefined) return { status: 401, json: { error: 'Invalid Access Token' } };
    if (state.refuses === `${call.method} ${rest}`) return { status: 500, json: {} };
    if (state.quotes) return { status: 422, json: { error: `not with ${account.token}` } };
    return answerIn(account, call, rest, () => ++lastId);
  });
  return Object.assign(state, fake);
}

function answerIn(account: FakeAccount, call: SeenCall, rest: string, nextId: () => number): Answer {
  // The cast is safe: the connect strategies send objects alone.
  const body = call.body === '' ? {} : (JSON.parse(call.body) as Record<string, never>);
  const fault = findRequestFault(`${call.method} ${rest.replace(/\d+/, ':id')}`, body);
  if (fault !== undefined) return { status: 422, json: { error: fault } };
  const [, noun = '', id = '', more = ''] = /^\/(\w+)(?:\/(\d+))?(?:\/(\w+))?$/.exec(rest) ?? [];
  const list: ({ id: number } & object)[] = noun === 'inboxes' ? account.inboxes : noun === 'webhooks' ? account.webhooks : account.bots;
  const found = list.find((item) => String(item.id) === id);
  if (id !== '' && found === undefined) return { status: 404, json: { error: 'Resource could not be found' } };
  if (call.method === 'GET') return { status: 200, json: noun === 'inboxes' ? { payload: list } : noun === 'webhooks' ? { payload: { webhooks: list } } : list };
  if (call.method === 'DELETE' && found !== undefined) {
    list.splice(list.indexOf(found), 1);
    return { status: 200, json: undefined };
  }
  if (more === 'set_agent_bot') return { status: 200, json: Object.assign(found ?? {}, { bot: body['agent_bot'] }) && undefined };
  const { channel, ...own } = body as { channel?: { type?: string; webhook_url?: string } };
  const change = { ...own, ...(channel?.webhook_url !== undefined && { webhook_url: channel.webhook_url }) };
  const made = found ?? newItem(noun, nextId(), channel?.type);
  if (found === undefined) list.push(made);
  Object.assign(made, change);
  return { status: 200, json: noun === 'webhooks' ? { payload: { webhook: made } } : made };
}

function newItem(noun: string, id: number, type: string | undefined): { readonly id: number } & Readonly<Record<string, unknown>> {
  if (noun === 'webhooks') return { id, secret: `webhook-secret-of-chatwoot-${id}` };
  if (noun === 'agent_bots') return { id, access_token: `bot-token-of-chatwoot-${id}` };
  return type === 'web_widget' ? { id, channel_type: 'Channel::WebWidget', website_token: `website-${id}` } : { id, channel_type: 'Channel::Api', webhook_url: '', secret: `inbox-secret-of-chatwoot-${id}` };
}
