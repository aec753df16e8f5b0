import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { getChatwootMove, getRoutesInternal, newId, pauseChatwootMove, resumeChatwootMove, retireChatwootMove, rollBackChatwootMove, startChatwootMove, type AccountMoveRecord, type ConnectionWithSecrets, type MovePhase, type TenantId } from '@switchboard/contracts';
import { createDatabase, type Database } from '@switchboard/db';
import { prepareServices, startService, type RunningService, type ServiceDefinition } from '@switchboard/service-kit';
import { adminHeaders, describeRoute, testEnvironment } from '@switchboard/service-kit/testing';
import { runAsSystem, runAsTenant } from '@switchboard/tenant-context';
import { startTestDatabase, testRolePassword, testTenants, type TestDatabase } from '@switchboard/testing';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { service } from '../src/service.ts';
import { createMoveStore, type MoveState } from '../src/store/moves.ts';
import { PrismaClient } from '../src/store/generated/client.ts';

const [acme, globex] = testTenants;
// The cast drops the service's own config type.
const definition = service as unknown as ServiceDefinition;

let database: TestDatabase;
let db: Database<PrismaClient>;
let tenantService: Server;
let running: RunningService;

const connectionOf = (tenantId: TenantId, mode: 'shared' | 'dedicated', more: Partial<ConnectionWithSecrets> = {}): ConnectionWithSecrets => ({
  tenantId, connectionId: newId('con'), provider: 'chatwoot', role: 'desk', status: 'active', version: 1,
  // Nobody listens there: a move that is begun waits for it.
  routingIdentifiers: { inbox: '127.0.0.1:9/1/41' }, settings: { mode, apiUrl: 'http://127.0.0.1:9', accountId: '1', inboxId: '41', inboxType: 'api' }, credentials: { apiToken: 'secret-token' }, ...more,
});
const owned = (tenantId: TenantId) => ({ from: connectionOf(tenantId, 'shared'), to: connectionOf(tenantId, 'dedicated') });
const connections = { [acme]: owned(acme), [globex]: owned(globex) };
const site = connectionOf(acme, 'dedicated', { settings: { ...connectionOf(acme, 'dedicated').settings, inboxType: 'website' } });
const all = [...Object.values(connections).flatMap(({ from, to }) => [from, to]), site];

beforeAll(async () => {
  database = await startTestDatabase();
  await prepareServices([definition], { adminUrl: database.adminUrl, driver: 'embedded', rolePassword: testRolePassword });
  db = createDatabase({ url: database.url('switchboard_chatwoot'), schema: 'chatwoot', connectionsMax: 2, createClient: (adapter) => new PrismaClient({ adapter }) });
  tenantService = createServer((request, response) => {
    const tenantId = Object.values(request.headers).some((value) => typeof value === 'string' && Buffer.from(value.split('.')[1] ?? '', 'base64url').includes(`"${globex}"`)) ? globex : acme;
    const own = all.filter((connection) => connection.tenantId === tenantId);
    const one = own.find(({ connectionId }) => request.url?.endsWith(connectionId));
    const listed = { version: 1, timeZone: 'UTC', plan: 'enterprise', routes: [], connections: own.map(({ connectionId, provider, role, status }) => ({ connectionId, provider, role, status, createdAt: '2026-11-21T12:00:00.000Z' })) };
    const missing = { type: 'x', title: 'Connection not found', error: 'Connection not found', status: 404, detail: 'x', code: 'connection.not_found', requestId: 'req_00000000000000000000000001' };
    const answer = request.url === getRoutesInternal.path ? listed : (one ?? missing);
    response.writeHead(answer === missing ? 404 : 200, { 'content-type': answer === missing ? 'application/problem+json' : 'application/json' }).end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => tenantService.listen(0, '127.0.0.1', resolve));
  const { port } = tenantService.address() as AddressInfo; // it listens on TCP
  const urls = { DATABASE_URL: database.url('switchboard_chatwoot'), BUS_DATABASE_URL: database.url('switchboard_bus'), TENANT_SERVICE_URL: `http://127.0.0.1:${port}` };
  running = await startService(definition, testEnvironment({ ...urls, BUS_DRIVER: 'embedded', MEDIA_URL_SECRET: 's'.repeat(32), MEDIA_DIR: tmpdir() }));
}, 60_000);

afterAll(async () => {
  await running?.stop();
  tenantService?.closeAllConnections();
  tenantService?.close();
  await db?.close();
  await database?.drop();
});

/** The tenant's only move, in this state; nobody works on it. */
async function moveIn(tenantId: TenantId, state: MoveState, phase: MovePhase): Promise<object> {
  await forget(tenantId);
  const { from, to } = owned(tenantId);
  await runAsTenant(tenantId, async () => {
    const moves = createMoveStore(db);
    const move = await moves.start({ fromConnectionId: from.connectionId, toConnectionId: to.connectionId });
    if (move !== undefined) await moves.change(move.moveId, { state, phase, nextAt: new Date(Date.now() + 3_600_000) }, {});
  });
  return {};
}

async function forget(tenantId: TenantId): Promise<void> {
  await runAsSystem('a test begins anew', () => db.transaction(() => db.sql.query('delete from account_moves where tenant_id = $1', [tenantId])));
}

const toOwn = async (tenantId: TenantId) => (await forget(tenantId), { body: { toConnectionId: owningTo(tenantId) } });
const owningTo = (tenantId: TenantId) => (tenantId === globex ? connections[globex] : connections[acme])?.to.connectionId ?? newId('con');

const suite = { service: 'chatwoot-connector', url: () => running.url, tenants: testTenants } as const;
const named = <Input extends object>(make: (tenantId: TenantId) => Promise<Input>) => async (tenantId: TenantId) => ({ ...(await make(tenantId)), params: { tenantId } });

describeRoute(startChatwootMove, { ...suite, input: named(toOwn), badInputs: { 'a connection that is none': (input) => ({ ...input, body: { toConnectionId: 'x' } }) } });
describeRoute(getChatwootMove, { ...suite, input: named((tenantId) => moveIn(tenantId, 'running', 'copying')) });
describeRoute(pauseChatwootMove, { ...suite, input: named((tenantId) => moveIn(tenantId, 'running', 'copying')) });
describeRoute(resumeChatwootMove, { ...suite, input: named((tenantId) => moveIn(tenantId, 'failed', 'draining')) });
describeRoute(rollBackChatwootMove, { ...suite, input: named((tenantId) => moveIn(tenantId, 'paused', 'draining')) });
describeRoute(retireChatwootMove, { ...suite, input: named((tenantId) => moveIn(tenantId, 'running', 'waiting')) });

async function post(tenantId: TenantId, what = '', body?: object): Promise<{ readonly status: number; readonly json: Partial<AccountMoveRecord> & { readonly code?: string } }> {
  const response = await fetch(`${running.url}/tenants/${tenantId}/chatwoot/migrate${what}`, { method: 'POST', headers: { ...adminHeaders(), ...(body && { 'content-type': 'application/json' }) }, ...(body && { body: JSON.stringify(body) }) });
  return { status: response.status, json: (await response.json()) as Partial<AccountMoveRecord> }; // the contract's form, which the routes' own tests check
}

describe('a move over the API', () => {
  it('begins once: another one is refused while it is open', async () => {
    const body = (await toOwn(acme)).body;
    const both = await Promise.all([post(acme, '', body), post(acme, '', body)]);
    expect(both.map(({ status }) => status).toSorted()).toEqual([202, 409]);
    expect(both.find(({ status }) => status === 409)?.json.code).toBe('move.running');
    expect(both.find(({ status }) => status === 202)?.json).toMatchObject({ fromConnectionId: connections[acme]?.from.connectionId, state: 'running', phase: 'copying' });
    expect((await post(globex, '', (await toOwn(globex)).body)).status).toBe(202);
  });

  it.each([
    ["another tenant's connection", () => ({ toConnectionId: owningTo(globex) }), 'connection.not_found'],
    ["another tenant's connection to move from", () => ({ toConnectionId: owningTo(acme), fromConnectionId: connections[globex]?.from.connectionId }), 'connection.not_found'],
    ['the shared one to move to', () => ({ toConnectionId: connections[acme]?.from.connectionId }), 'move.impossible'],
    ['one whose inbox is a website', () => ({ toConnectionId: site.connectionId }), 'move.impossible'],
  ])('does not begin with %s', async (_, body, code) => {
    await forget(acme);
    expect((await post(acme, '', body())).json.code).toBe(code);
    expect((await post(acme, '/pause')).json.code).toBe('move.not_found');
  });

  it.each([
    ['pause', 'paused', 'copying'],
    ['resume', 'running', 'copying'],
    ['rollback', 'running', 'retiring'],
    ['rollback', 'ended', 'done'],
    ['retire', 'running', 'draining'],
  ] as const)('is not told to %s when it is %s in phase %s', async (what, state, phase) => {
    await moveIn(acme, state, phase);
    expect((await post(acme, `/${what}`)).json.code).toBe('move.wrong_phase');
  });

  it('is paused, goes on where it was, and is given up', async () => {
    await moveIn(acme, 'running', 'draining');
    expect((await post(acme, '/pause')).json).toMatchObject({ state: 'paused', phase: 'draining' });
    expect((await post(acme, '/resume')).json).toMatchObject({ state: 'running', phase: 'draining' });
    expect((await post(acme, '/rollback')).json).toMatchObject({ state: 'running', phase: 'rolling_back' });
  });
});
