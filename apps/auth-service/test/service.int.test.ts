import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { getProviderToken, newId, type ConnectionId, type ConnectionWithSecrets, type TenantId } from '@switchboard/contracts';
import { internalTokenHeader, prepareServices, startService, type RunningService, type ServiceDefinition } from '@switchboard/service-kit';
import { describeRoute, internalTokenHeaders, testEnvironment } from '@switchboard/service-kit/testing';
import { startTestDatabase, testRolePassword, testTenants, type TestDatabase } from '@switchboard/testing';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { service } from '../src/service.ts';

const [acme, globex] = testTenants;
// The cast drops the service's own config type.
const definition: ServiceDefinition = service;

let database: TestDatabase;
let tenantService: Server;
let login: Server;
let running: RunningService;
let owners: Map<ConnectionId, TenantId>;
/** Logins at Genesys, by their Basic credentials. */
let logins: string[];
let loginAnswer: { status: number; headers?: Record<string, string>; body: object } | undefined;

beforeAll(async () => {
  database = await startTestDatabase();
  await prepareServices([definition], { adminUrl: database.adminUrl, driver: 'embedded', rolePassword: testRolePassword });
  login = createServer((request, response) => {
    logins.push(Buffer.from((request.headers.authorization ?? '').replace('Basic ', ''), 'base64').toString());
    const { status, headers, body } = loginAnswer ?? { status: 200, body: { access_token: `token-${logins.length}-of-${logins.at(-1)}`, expires_in: 86_400 } };
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  });
  const loginBaseUrl = await listen(login);
  // Answers by the tenant of the call, as tenant-service does.
  tenantService = createServer((request, response) => {
    const connectionId = (request.url ?? '').split('/').at(-1) as ConnectionId; // the route's only parameter
    const tenantId = tenantOf(request);
    if (owners.get(connectionId) !== tenantId) {
      response.writeHead(404, { 'content-type': 'application/problem+json' }).end(JSON.stringify({ type: 'about:blank', title: 'x', status: 404, code: 'connection.not_found', error: 'x', detail: 'x', requestId: 'req_0123456789' }));
      return;
    }
    const connection: ConnectionWithSecrets = { tenantId, connectionId, provider: 'genesys', role: 'desk', status: 'active', version: 1, routingIdentifiers: {}, settings: { clientId: `client-of-${tenantId}`, loginBaseUrl }, credentials: { clientSecret: `secret-of-${tenantId}` } };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(connection));
  });
  running = await startService(definition, testEnvironment({ BUS_DRIVER: 'embedded', BUS_DATABASE_URL: database.url('switchboard_bus'), DATABASE_URL: database.url('switchboard_auth'), TENANT_SERVICE_URL: await listen(tenantService) }));
}, 60_000);

afterAll(async () => {
  await running?.stop();
  for (const server of [tenantService, login]) {
    server?.closeAllConnections();
    server?.close();
  }
  await database?.drop();
});

beforeEach(() => {
  owners = new Map();
  logins = [];
  loginAnswer = undefined;
});

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens on TCP
}

/** The claim of the token that the service was called with; its signature is tested in the kit. */
function tenantOf(request: IncomingMessage): TenantId {
  const [, claims = ''] = String(request.headers[internalTokenHeader]).split('.');
  return (JSON.parse(Buffer.from(claims, 'base64url').toString()) as { tenant: TenantId }).tenant;
}

function connect(tenantId: TenantId): ConnectionId {
  const connectionId = newId('con');
  owners.set(connectionId, tenantId);
  return connectionId;
}

async function ask(tenantId: TenantId, connectionId: ConnectionId, body: object = {}): Promise<{ status: number; retryAfter: string | null; json: Record<string, unknown> }> {
  const response = await fetch(`${running.url}/internal/provider-tokens/${connectionId}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...internalTokenHeaders('auth-service', tenantId, 'genesys-connector') },
    body: JSON.stringify(body),
  });
  return { status: response.status, retryAfter: response.headers.get('retry-after'), json: (await response.json()) as Record<string, unknown> };
}

describeRoute(getProviderToken, {
  service: 'auth-service',
  url: () => running.url,
  tenants: testTenants,
  input: (tenantId) => ({ params: { connectionId: connect(tenantId) }, body: {} }),
  missing: () => ({ params: { connectionId: newId('con') }, body: {} }),
  badInputs: { 'an id that is none': () => ({ params: { connectionId: '../connections' }, body: {} }), 'a fingerprint that is too long': (input) => ({ ...input, body: { refusedFingerprint: 'x'.repeat(65) } }) },
});

describe('a provider\'s token', () => {
  it('is fetched once with the tenant\'s own credentials, and given again', async () => {
    const connectionId = connect(acme);
    const first = await ask(acme, connectionId);
    expect(first.json).toMatchObject({ accessToken: 'token-1-of-client-of-acme:secret-of-acme', fingerprint: expect.stringMatching(/^[\w-]{22}$/) });
    expect((await ask(acme, connectionId)).json).toEqual(first.json);
    expect(logins).toEqual(['client-of-acme:secret-of-acme']);
  });

  it('is not given to another tenant, not even while it is in memory', async () => {
    const connectionId = connect(acme);
    await ask(acme, connectionId);
    expect(await ask(globex, connectionId)).toMatchObject({ status: 404, json: { code: 'connection.not_found' } });
    expect(logins).toHaveLength(1);
  });

  it.each([
    ['wrong credentials', { status: 401, body: { error: 'invalid_client' } }, { code: 'provider.unauthorized' }],
    ['throttling', { status: 429, headers: { 'retry-after': '7' }, body: {} }, { code: 'provider.throttled' }],
    ['a fault', { status: 503, body: {} }, { code: 'provider.unavailable' }],
  ])('is refused by %s with a code that says what to do, and no secret', async (_, answer, problem) => {
    loginAnswer = answer;
    const { status, json } = await ask(acme, connect(acme));
    expect(status).toBeGreaterThanOrEqual(400);
    expect(json).toMatchObject(problem);
    expect(JSON.stringify(json)).not.toContain('secret-of-acme');
  });
});
