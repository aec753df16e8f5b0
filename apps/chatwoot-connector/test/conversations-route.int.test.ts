import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { getRoutesInternal, listChatwootConversations, newId, type ConnectionWithSecrets, type TenantId } from '@switchboard/contracts';
import { prepareServices, startService, type RunningService, type ServiceDefinition } from '@switchboard/service-kit';
import { adminHeaders, describeRoute, keyHeaders, testEnvironment } from '@switchboard/service-kit/testing';
import { startTestDatabase, testRolePassword, testTenants, type TestDatabase } from '@switchboard/testing';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { service } from '../src/service.ts';
import { startFakeChatwoot, type FakeChatwoot } from './fake-chatwoot.ts';
import { connectionAt } from './start-connector.ts';

const [acme, globex] = testTenants;
// The cast drops the service's own config type.
const definition = service as unknown as ServiceDefinition;

let database: TestDatabase;
let chatwoot: FakeChatwoot;
let tenantService: Server;
let running: RunningService;
const connections: ConnectionWithSecrets[] = [];

/** Whom an internal token speaks for; that it is genuine is tenant-service's to see. */
function tenantOf(request: IncomingMessage): TenantId {
  const token = Object.values(request.headers).find((value) => typeof value === 'string' && value.split('.').length === 3 && value.startsWith('ey'));
  const claims = JSON.parse(Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString('utf8')) as Record<string, unknown>; // a token's second part is its claims
  return testTenants.find((tenantId) => Object.values(claims).includes(tenantId)) ?? acme;
}

beforeAll(async () => {
  database = await startTestDatabase();
  await prepareServices([definition], { adminUrl: database.adminUrl, driver: 'embedded', rolePassword: testRolePassword });
  chatwoot = await startFakeChatwoot({ 'token-1': 1 });
  for (const [index, [tenantId, inboxId]] of ([[acme, 41], [acme, 43], [globex, 42]] as const).entries()) {
    connections.push(connectionAt(tenantId, { url: chatwoot.url, inboxId: String(inboxId), token: 'token-1' }, { mode: 'shared' }));
    chatwoot.contacts.push({ id: 10 + index, accountId: 1, name: `contact of ${tenantId}`, phone_number: undefined, identifier: `${tenantId}:x`, inboxes: [] });
    chatwoot.conversations.push({ id: index + 1, accountId: 1, inboxId, contactId: 10 + index, sourceId: 'x', status: 'open', assigneeId: 12, labels: ['vip'], customAttributes: {}, messages: [] });
  }
  tenantService = createServer((request, response) => {
    const own = connections.filter(({ tenantId }) => tenantId === tenantOf(request));
    const url = request.url ?? '';
    const one = own.find(({ connectionId }) => url.endsWith(connectionId));
    const all = { version: 1, timeZone: 'UTC', plan: 'enterprise', routes: [], connections: own.map(({ connectionId, provider, role, status }) => ({ connectionId, provider, role, status, createdAt: '2026-11-21T12:00:00.000Z' })) };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(url === getRoutesInternal.path ? all : one));
  });
  await new Promise<void>((resolve) => {
    tenantService.listen(0, '127.0.0.1', resolve);
  });
  const { port } = tenantService.address() as AddressInfo; // it listens on TCP
  running = await startService(
    definition,
    testEnvironment({
      DATABASE_URL: database.url('switchboard_chatwoot'),
      BUS_DRIVER: 'embedded',
      BUS_DATABASE_URL: database.url('switchboard_bus'),
      TENANT_SERVICE_URL: `http://127.0.0.1:${port}`,
      MEDIA_URL_SECRET: 's'.repeat(32),
      MEDIA_DIR: tmpdir(),
      EGRESS_ALLOW: '127.0.0.0/8',
    }),
  );
}, 60_000);

afterAll(async () => {
  await running?.stop();
  tenantService?.closeAllConnections();
  tenantService?.close();
  await chatwoot?.close();
  await database?.drop();
});

describeRoute(listChatwootConversations, {
  service: 'chatwoot-connector',
  url: () => running.url,
  tenants: testTenants,
  input: (tenantId) => ({ params: { tenantId } }),
  badInputs: {
    'a status that does not exist': (input) => ({ ...input, query: { status: 'closed' } }),
    'page 0': (input) => ({ ...input, query: { page: 0 } }),
    'a foreign cursor': (input) => ({ ...input, query: { cursor: 'x' } }),
  },
});

type Conversations = { readonly data: readonly { readonly id: string; readonly inboxId: string; readonly contact: { readonly name: string } }[]; readonly nextCursor: string | null; readonly code?: string };

async function list(tenantId: TenantId, query = '', headers = adminHeaders()): Promise<{ status: number; text: string; json: Conversations }> {
  const response = await fetch(`${running.url}/tenants/${tenantId}/chatwoot/conversations${query}`, { headers });
  const text = await response.text();
  return { status: response.status, text, json: JSON.parse(text) as Conversations }; // the contract's form, which the route's own test checks
}

describe('conversations at Chatwoot', () => {
  it('are those of the tenant\'s own inboxes, although the account answers everybody\'s', async () => {
    const { json } = await list(acme);
    expect(json.data.map(({ id, inboxId, contact }) => [id, inboxId, contact.name])).toEqual([['2', '43', 'contact of acme'], ['1', '41', 'contact of acme']]);
    expect(json.nextCursor).toBeNull();
    expect((await list(globex, '', keyHeaders('chatwoot-connector', globex, ['state:read']))).json.data.map(({ id }) => id)).toEqual(['3']);
  });

  it('show nothing that is a credential at Chatwoot', async () => {
    const { text } = await list(acme);
    for (const secret of ['live-credential', 'pubsub_token', 'access_token', 'token-1']) expect(text).not.toContain(secret);
  });

  it('of one connection are that one\'s, and another tenant\'s connection is none', async () => {
    const [first, , theirs] = connections;
    expect((await list(acme, `?connectionId=${first?.connectionId}`)).json.data.map(({ id }) => id)).toEqual(['1']);
    const foreign = await list(acme, `?connectionId=${theirs?.connectionId}`);
    const none = await list(acme, `?connectionId=${newId('con')}`);
    expect([foreign.status, foreign.json.code]).toEqual([404, 'connection.not_found']);
    expect([none.status, none.json.code]).toEqual([foreign.status, foreign.json.code]);
  });

  it('of a connection that is switched off are not asked for', async () => {
    const [first, second] = connections;
    if (first === undefined || second === undefined) throw new Error('acme has two inboxes');
    connections[1] = { ...second, status: 'disabled' };
    const asked = chatwoot.requests.length;
    const [all, one] = [await list(acme), await list(acme, `?connectionId=${second.connectionId}`)];
    connections[1] = second;
    expect([all.json.data.map(({ id }) => id), one.status]).toEqual([['1'], 404]);
    expect(chatwoot.requests.length).toBe(asked + 1);
  });
});
