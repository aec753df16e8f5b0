import { z } from 'zod';
import type { SandboxRoute } from '../exchange.ts';
import { addUser } from '../chatwoot/account-routes.ts';
import { mainServer, siteOf } from '../chatwoot/chatwoot-api.ts';
import { ChatwootStore, newToken } from '../chatwoot/chatwoot-store.ts';
import { addInbox } from '../chatwoot/inbox-routes.ts';
import { inboxOf } from '../chatwoot/render-people.ts';
import { accountAt, type ChatwootControl } from './chatwoot-account.ts';
import { chatwootPeopleRoutes } from './chatwoot-people.ts';
import { chatwootViews } from './chatwoot-views.ts';
import { unknown, withBody } from './with-body.ts';

/** The newest release whose code the contract is drawn from. */
const newestVersion = '4.15.1';
const version = z.string().regex(/^\d+\.\d+\.\d+$/, 'use a release such as 4.11.0');
const serverName = z.string().regex(/^[a-z0-9-]+$/, 'lower-case letters, digits and dashes');

const accountSchema = z.strictObject({
  server: serverName.default(mainServer),
  version: version.optional(),
  accountId: z.int().min(1).optional(),
  name: z.string().min(1).optional(),
  plan: z.enum(['free', 'paid']).default('paid'),
  inboxLimit: z.int().min(0).nullable().default(null),
  keepPendingOnBotFailure: z.boolean().default(false),
  callsPerMinute: z.int().min(0).optional(),
  /** Names of people who answer; each gets a token of its own. */
  agents: z.array(z.string().min(1)).default([]),
});

const agentSchema = z.strictObject({ name: z.string().min(1), email: z.email().optional(), role: z.enum(['administrator', 'agent']).default('agent') });

const inboxSchema = z.strictObject({
  type: z.enum(['website', 'api']).default('website'),
  name: z.string().min(1).default('Website'),
  websiteUrl: z.url().default('https://shop.example'),
  webhookUrl: z.url().optional(),
  lockToSingleConversation: z.boolean().default(false),
});

/** What an administrator of a Chatwoot server does, and all that can be seen there. */
export function chatwootControlRoutes(deps: ChatwootControl): SandboxRoute[] {
  const { state, publicUrl } = deps;

  const addAccount = withBody(accountSchema, (given) => {
    const known = state.get('chatwootServer', given.server);
    const server = { name: given.server, version: given.version ?? known?.version ?? newestVersion, callsPerMinute: given.callsPerMinute ?? known?.callsPerMinute ?? 0 };
    state.put('chatwootServer', server.name, server);
    const store = new ChatwootStore(state, server);
    const id = given.accountId ?? store.next('account');
    store.skipTo('account', id);
    if (store.account(id) !== undefined) return { status: 409, json: { error: `Account ${id} is there already` } };
    const { plan, inboxLimit, keepPendingOnBotFailure } = given;
    store.putAccount({ server: server.name, id, name: given.name ?? `Account ${id}`, plan, inboxLimit, keepPendingOnBotFailure });
    const administrator = person(store, id, 'Hub', 'administrator');
    const agents = given.agents.map((name) => person(store, id, name, 'agent'));
    const apiUrl = siteOf(state, publicUrl, server.name)?.baseUrl ?? '';
    return {
      status: 201,
      json: {
        type: 'chatwoot',
        server: server.name,
        version: server.version,
        accountId: String(id),
        apiUrl,
        credentials: { mode: 'dedicated', apiUrl, accountId: String(id), apiToken: administrator.token, sandbox: true },
        platform: { apiUrl, accountId: String(id), apiToken: administrator.token, sandbox: true },
        administrator,
        agents,
      },
    };
  });

  const person = (store: ChatwootStore, accountId: number, name: string, role: 'administrator' | 'agent', email?: string) => {
    const { user, token } = addUser(store, { accountId, name, role, email: email ?? `${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '.')}.${newToken().slice(0, 6).toLowerCase()}@desk.example` });
    return { id: user.id, name: user.name, email: user.email, role: user.role, token };
  };

  const changeServer = withBody(z.strictObject({ version: version.optional(), callsPerMinute: z.int().min(0).optional() }), (given, { match }) => {
    const server = state.get('chatwootServer', match[0] ?? '');
    if (server === undefined) return unknown('server');
    const changed = { ...server, version: given.version ?? server.version, callsPerMinute: given.callsPerMinute ?? server.callsPerMinute };
    state.put('chatwootServer', server.name, changed);
    return { status: 200, json: changed };
  });

  const addAgent = withBody(agentSchema, (given, exchange) => {
    const at = accountAt(deps, exchange);
    return at === undefined ? unknown('account') : { status: 201, json: person(at.store, at.accountId, given.name, given.role, given.email) };
  });

  const createInbox = withBody(inboxSchema, (given, exchange) => {
    const at = accountAt(deps, exchange);
    if (at === undefined) return unknown('account');
    const isSite = given.type === 'website';
    const inbox = addInbox(at.store, at.accountId, {
      name: given.name,
      type: isSite ? 'web_widget' : 'api',
      webhookUrl: isSite ? null : (given.webhookUrl ?? null),
      websiteUrl: isSite ? given.websiteUrl : null,
      lockToSingleConversation: given.lockToSingleConversation,
      settings: {},
      additionalAttributes: {},
    });
    return { status: 201, json: { inboxId: String(inbox.id), ...inboxOf(at.site, inbox, false) } };
  });

  return [
    { method: 'POST', path: '/sandbox/chatwoot/accounts', handle: addAccount },
    { method: 'PATCH', path: '/sandbox/chatwoot/:server', handle: changeServer },
    { method: 'POST', path: '/sandbox/chatwoot/:server/accounts/:accountId/agents', handle: addAgent },
    { method: 'POST', path: '/sandbox/chatwoot/:server/accounts/:accountId/inboxes', handle: createInbox },
    ...chatwootPeopleRoutes(deps),
    ...chatwootViews(deps),
  ];
}
