import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as contracts from '@switchboard/contracts';
import { newId, tenantIdSchema, type ConnectionRecord, type TenantId } from '@switchboard/contracts';
import { adminHeaders, describeRoute, internalTokenHeaders } from '@switchboard/service-kit/testing';
import { testTenants } from '@switchboard/testing';
import { startFakeGenesys, startFakeMeta, type FakeGenesys, type FakeMeta } from '../testing/fake-providers.ts';
import { secretsFoundIn } from '../testing/secrets-found-in.ts';
import { startTenantService, type ServiceUnderTest } from '../testing/start-service.ts';

const [acme, globex] = testTenants;
const numbers = Array.from({ length: 100 }, (_, index) => `7001002004${String(index).padStart(3, '0')}`);

let running: ServiceUnderTest;
let meta: FakeMeta;
let genesys: FakeGenesys;
const apiKeys = new Map<TenantId, string>();

beforeAll(async () => {
  meta = await startFakeMeta(numbers);
  genesys = await startFakeGenesys();
  running = await startTenantService({ SANDBOX_ENABLED: 'true', SANDBOX_URL: meta.url });
  for (const tenantId of testTenants) {
    const { json } = await post('/tenants', { tenantId, name: tenantId, subdomain: `${tenantId}-chat` });
    apiKeys.set(tenantId, (json as { apiKey: string }).apiKey);
  }
}, 60_000);

afterAll(async () => {
  await running?.stop();
  await Promise.all([meta?.close(), genesys?.close()]);
});

async function call(method: string, path: string, headers: Record<string, string>, body?: unknown): Promise<{ status: number; json: unknown }> {
  const response = await fetch(`${running.url}${path}`, {
    method,
    headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, json: await response.json() };
}
const post = (path: string, body: unknown) => call('POST', path, adminHeaders(), body);
const get = (path: string) => call('GET', path, adminHeaders());

let nextNumber = 0;
const metaForm = (more: object = {}) => ({
  type: 'meta',
  credentials: { appSecret: 'app-secret-in-the-clear', verifyToken: 'verify-token-in-the-clear', accessToken: 'meta-access-token', phoneNumberId: numbers[nextNumber++] ?? '', apiBaseUrl: meta.url, ...more },
});
const genesysForm = () => ({ type: 'genesys', credentials: { clientId: 'client-1', clientSecret: 'genesys-client-secret', region: 'mypurecloud.de', apiBaseUrl: genesys.url } });

async function connect(tenantId: TenantId, form: object): Promise<ConnectionRecord> {
  const { status, json } = await post(`/tenants/${tenantId}/credentials`, form);
  expect(status).toBe(201);
  return json as ConnectionRecord; // described by the contract, which the kit has checked
}

const suite = { service: 'tenant-service', url: () => running.url, tenants: testTenants } as const;
let created = 0;

describeRoute(contracts.createTenant, {
  ...suite,
  input: () => ({ body: { tenantId: `tenant-${++created}`, name: 'A tenant' } }),
  badInputs: {
    'an id with capitals': () => ({ body: { tenantId: 'Acme', name: 'A tenant' } }),
    'a subdomain that is the platform\'s own': () => ({ body: { tenantId: 'tenant-x', name: 'A tenant', subdomain: 'www' } }),
    'a subdomain that is no DNS label': () => ({ body: { tenantId: 'tenant-x', name: 'A tenant', subdomain: 'a_b' } }),
    'a plan that does not exist': () => ({ body: { tenantId: 'tenant-x', name: 'A tenant', plan: 'gold' } }),
    'a time zone that does not exist': () => ({ body: { tenantId: 'tenant-x', name: 'A tenant', timeZone: 'Mars/Olympus' } }),
    'a name of blanks': () => ({ body: { tenantId: 'tenant-x', name: '  ' } }),
  },
});
describeRoute(contracts.listTenants, { ...suite, input: () => ({}), badInputs: { 'a cursor of another making': () => ({ query: { cursor: 'x!' } }) } });
describeRoute(contracts.getTenant, { ...suite, input: (tenantId) => ({ params: { tenantId } }) });
describeRoute(contracts.postCredentials, {
  ...suite,
  input: (tenantId) => ({ params: { tenantId }, body: metaForm() }),
  badInputs: {
    'a credential that is missing': (input) => ({ ...input, body: metaForm({ accessToken: undefined }) }),
    'an unknown credential': (input) => ({ ...input, body: metaForm({ pin: '1' }) }),
    'a role the provider does not have': (input) => ({ ...input, body: { ...metaForm(), role: 'bot' } }),
  },
});
describeRoute(contracts.listConnections, { ...suite, input: (tenantId) => ({ params: { tenantId } }) });
describeRoute(contracts.getConnection, {
  ...suite,
  input: async (tenantId) => ({ params: { tenantId, connectionId: (await connect(tenantId, metaForm())).id } }),
  missing: (input) => ({ params: { ...input.params, connectionId: newId('con') } }) as typeof input,
});
describeRoute(contracts.getRoutes, { ...suite, input: (tenantId) => ({ params: { tenantId } }) });
describeRoute(contracts.putRoutes, { ...suite, input: (tenantId) => ({ params: { tenantId }, body: { routes: [] } }) });
describeRoute(contracts.getConnectionInternal, {
  ...suite,
  input: async (tenantId) => ({ params: { connectionId: (await connect(tenantId, metaForm())).id } }),
  missing: () => ({ params: { connectionId: newId('con') } }),
});
describeRoute(contracts.findWebhookConnections, { ...suite, input: () => ({ body: {} }) });
describeRoute(contracts.listWebhookConnections, { ...suite, input: () => ({}) });
describeRoute(contracts.getRoutesInternal, { ...suite, input: () => ({}) });
describeRoute(contracts.resolveTenant, { ...suite, input: (tenantId) => ({ body: { tenantId } }) });
describeRoute(contracts.findCorsOrigin, { ...suite, input: () => ({ body: { origin: 'https://shop.example' } }) });
describeRoute(contracts.resolveApiKey, { ...suite, input: (tenantId) => ({ body: { apiKey: apiKeys.get(tenantId) ?? '' } }) });
describeRoute(contracts.resolveApiKeys, { ...suite, input: (tenantId) => ({ body: { apiKeys: [apiKeys.get(tenantId) ?? ''] } }) });
describeRoute(contracts.findLegacyApiKeys, { ...suite, input: () => ({}) });

describe('creating a tenant', () => {
  it('answers the published form, with the key this once', async () => {
    const { status, json } = await post('/tenants', { tenantId: 'initech', name: 'Initech', subdomain: 'initech', plan: 'enterprise', rateLimit: 600, metadata: { since: 1999 } });
    expect(status).toBe(201);
    expect(json).toEqual({
      tenant: { tenant_id: 'initech', name: 'Initech', subdomain: 'initech', status: 'active', plan: 'enterprise', rate_limit: 600, metadata: { since: 1999 }, created_at: expect.any(String) },
      apiKey: expect.stringMatching(/^sk_/),
      message: 'Tenant created successfully',
    });
    expect((await get('/tenants/initech')).json).toEqual((json as { tenant: unknown }).tenant);
  });

  it('refuses an id or a subdomain that is taken, and keeps nothing of the attempt', async () => {
    expect(await post('/tenants', { tenantId: acme, name: 'Again' })).toMatchObject({ status: 409, json: { code: 'tenant.taken' } });
    expect(await post('/tenants', { tenantId: 'newcomer', name: 'New', subdomain: `${acme}-chat` })).toMatchObject({ status: 409, json: { code: 'tenant.subdomain_taken' } });
    expect(await get('/tenants/newcomer')).toMatchObject({ status: 404, json: { code: 'tenant.not_found' } });
  });

  it('lets one of many equal creations win', async () => {
    const attempts = await Promise.all(Array.from({ length: 8 }, () => post('/tenants', { tenantId: 'contested', name: 'C', subdomain: 'contested' })));
    expect(attempts.map(({ status }) => status).toSorted()).toEqual([201, ...Array.from({ length: 7 }, () => 409)]);
  });

  it('lists every tenant once, page by page', async () => {
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { json } = await get(`/tenants?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      const page = json as { data: { tenant_id: string }[]; nextCursor: string | null };
      expect(page.data.length).toBeLessThanOrEqual(2);
      seen.push(...page.data.map((tenant) => tenant.tenant_id));
      cursor = page.nextCursor;
    }
    expect(seen).toEqual(expect.arrayContaining([acme, globex, 'initech']));
    expect(new Set(seen).size).toBe(seen.length);
  });
});

describe('API keys', () => {
  const resolve = (apiKey: string) => call('POST', '/internal/api-keys/resolve', internalTokenHeaders('tenant-service', undefined, 'api-gateway'), { apiKey });

  it('open their own tenant', async () => {
    expect(await resolve(apiKeys.get(acme) ?? '')).toMatchObject({ status: 200, json: { scopes: [...contracts.scopes], expiresAt: null, cidrs: [], rateLimit: null, tenant: { tenantId: acme, status: 'active', subdomain: `${acme}-chat` } } });
    expect(await resolve(apiKeys.get(globex) ?? '')).toMatchObject({ json: { tenant: { tenantId: globex } } });
  });

  it('open nothing with the id of one and the secret of another, nor when well-formed but unknown', async () => {
    const { generateApiKey, parseApiKey } = contracts;
    const keyId = parseApiKey(apiKeys.get(acme) ?? '')?.keyId ?? newId('key');
    for (const forged of [generateApiKey(keyId), generateApiKey(newId('key')), 'sk_garbage', '']) {
      expect(await resolve(forged)).toMatchObject({ status: 401, json: { code: 'auth.missing' } });
    }
  });
});

describe('connections', () => {
  it('of a tenant that does not exist are not made', async () => {
    expect(await post('/tenants/nobody-here/credentials', metaForm())).toMatchObject({ status: 404, json: { code: 'tenant.not_found' } });
    expect(await get('/tenants/nobody-here/connections')).toMatchObject({ status: 404 });
  });

  it('use the sandbox when asked to, and say so in their settings', async () => {
    const { credentials } = metaForm();
    const { apiBaseUrl: _, ...form } = credentials as Record<string, string>;
    const connection = await connect(globex, { type: 'meta', credentials: { ...form, sandbox: true } });
    expect(connection.settings).toMatchObject({ sandbox: 'true', apiBaseUrl: `${meta.url}/whatsapp` });
    expect(meta.calls.at(-1)?.path).toMatch(/^\/whatsapp\/v25\.0\//);
  });

  it('of one tenant are shown and opened for that tenant alone', async () => {
    const mine = await connect(acme, metaForm());
    const { json } = await get(`/tenants/${globex}/connections?limit=200`);
    expect((json as { data: ConnectionRecord[] }).data.map((connection) => connection.id)).not.toContain(mine.id);
    expect(await call('GET', `/internal/connections/${mine.id}`, internalTokenHeaders('tenant-service', acme, 'auth-service'))).toMatchObject({
      status: 200,
      json: { tenantId: acme, status: 'active', credentials: { appSecret: 'app-secret-in-the-clear', accessToken: 'meta-access-token' } },
    });
    expect(await call('GET', `/internal/connections/${mine.id}`, internalTokenHeaders('tenant-service', globex, 'auth-service'))).toMatchObject({ status: 404, json: { code: 'connection.not_found' } });
  });

  it('that are not verified give their credentials to nobody', async () => {
    const pending = await connect(acme, metaForm({ accessToken: 'not-the-right-one' }));
    expect(await call('GET', `/internal/connections/${pending.id}`, internalTokenHeaders('tenant-service', acme, 'auth-service'))).toMatchObject({ json: { status: 'pending', credentials: {} } });
  });

  it('are all in the pages that ingest copies', async () => {
    const one = await connect(globex, metaForm());
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { json } = await call('GET', `/internal/webhook-connections?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`, internalTokenHeaders('tenant-service', undefined, 'webhook-ingest'));
      const page = json as { data: { connectionId: string }[]; nextCursor: string | null };
      seen.push(...page.data.map((connection) => connection.connectionId));
      cursor = page.nextCursor;
    }
    expect(seen).toContain(one.id);
    expect(new Set(seen).size).toBe(seen.length);
  });
});

describe('a tenant with one channel and one desk', () => {
  it('has its route, for the platform and for state-manager', async () => {
    const tenantId = tenantIdSchema.parse('hooli');
    await post('/tenants', { tenantId, name: 'Hooli', timeZone: 'Europe/Berlin' });
    const [channel, desk] = [await connect(tenantId, metaForm()), await connect(tenantId, genesysForm())];
    expect(desk.settings).toMatchObject({ loginBaseUrl: genesys.url });
    const routes = [{ channelConnectionId: channel.id, botConnectionId: null, deskConnectionId: desk.id, startsWith: 'desk', settings: {} }];
    expect((await get(`/tenants/${tenantId}/routes`)).json).toEqual({ version: 2, source: 'automatic', routes });
    expect((await call('GET', '/internal/routes', internalTokenHeaders('tenant-service', tenantId))).json).toMatchObject({
      version: 2,
      timeZone: 'Europe/Berlin',
      routes,
      connections: [{ connectionId: channel.id, role: 'channel' }, { connectionId: desk.id, role: 'desk' }],
    });
  });
});

describe('the database', () => {
  it('shows no secret, in no column of no table, whatever was posted', async () => {
    await connect(acme, metaForm());
    await connect(acme, metaForm({ accessToken: 'pending-access-token' }));
    await connect(globex, genesysForm());
    const generated = [...genesys.integrations.values()].flatMap((integration) => integration.outboundNotificationWebhookSignatureSecretToken ?? []);
    expect(generated.length).toBeGreaterThan(0);
    const secrets = ['app-secret-in-the-clear', 'verify-token-in-the-clear', 'meta-access-token', 'pending-access-token', 'genesys-client-secret', ...generated, ...apiKeys.values()];
    expect(await secretsFoundIn(running.database.adminUrl, secrets)).toEqual([]);
    // The search itself works: a thing that may be read is found.
    expect(await secretsFoundIn(running.database.adminUrl, [`${acme}-chat`])).toEqual([{ table: 'tenant.tenants', secret: `${acme}-chat` }]);
  });
});
