import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { isHubError, newId, tenantIdSchema, type ConnectionId, type ConnectionRecord, type TenantId } from '@switchboard/contracts';
import { createDatabase } from '@switchboard/db';
import { prepareServices, type ServiceDefinition } from '@switchboard/service-kit';
import { testKit } from '@switchboard/service-kit/testing';
import { runAsSystem, runAsTenant } from '@switchboard/tenant-context';
import { startTestDatabase, testRolePassword, type TestDatabase } from '@switchboard/testing';
import { createDependencies, type Dependencies } from '../app.ts';
import { configSchema } from '../config.ts';
import { chooseRoutes } from '../routing/update-routes.ts';
import { service } from '../service.ts';
import type { TenantDatabase } from '../store/client.ts';
import { PrismaClient } from '../store/generated/client.ts';
import { startFakeGenesys, startFakeMeta, type FakeGenesys, type FakeMeta } from '../testing/fake-providers.ts';
import { connectAccount } from './connect-account.ts';
import { recheckDrafts } from './recheck-drafts.ts';

const numbers = Array.from({ length: 60 }, (_, index) => `7001002003${String(index).padStart(3, '0')}`);

let database: TestDatabase;
let db: TenantDatabase;
let meta: FakeMeta;
let genesys: FakeGenesys;
let kit: ReturnType<typeof createKit>;
let deps: Dependencies;
let acme: TenantId;
let globex: TenantId;
let now: Date;

function createKit() {
  const config = configSchema.parse({ apiKeyPepper: 'p'.repeat(32), publicWebhookUrl: 'https://hub.example.net', connectWaitMs: '500' });
  return testKit({ name: 'tenant-service', config, db, now: () => now });
}

beforeAll(async () => {
  database = await startTestDatabase();
  await prepareServices([service as unknown as ServiceDefinition], { adminUrl: database.adminUrl, driver: 'embedded', rolePassword: testRolePassword });
  db = createDatabase({ url: database.url('switchboard_tenant'), schema: 'tenant', connectionsMax: 5, createClient: (adapter) => new PrismaClient({ adapter }) });
  meta = await startFakeMeta(numbers);
  genesys = await startFakeGenesys();
}, 60_000);

afterAll(async () => {
  await Promise.all([meta?.close(), genesys?.close()]);
  await db?.close();
  await database?.drop();
});

let count = 0;
beforeEach(async () => {
  now = new Date('2026-11-21T12:00:00Z');
  kit = createKit();
  deps = createDependencies(kit);
  Object.assign(meta, { down: false, token: 'meta-access-token' });
  Object.assign(genesys, { down: false, completesAfter: 0, clientSecret: 'genesys-client-secret' });
  meta.calls.length = 0;
  genesys.calls.length = 0;
  acme = await createTenant(`acme-${++count}`);
  globex = await createTenant(`globex-${count}`);
});

async function createTenant(id: string): Promise<TenantId> {
  const tenantId = tenantIdSchema.parse(id);
  await runAsTenant(tenantId, () => deps.tenants.insert({ name: id, subdomain: null, plan: 'starter', rateLimit: 100, metadata: {}, timeZone: null }));
  return tenantId;
}

let nextNumber = 0;
const freshNumber = () => numbers[nextNumber++] ?? 'too few numbers';
const metaForm = (more: object = {}) => ({
  type: 'meta',
  credentials: { appSecret: 'meta-app-secret', verifyToken: 'meta-verify-token', accessToken: 'meta-access-token', phoneNumberId: freshNumber(), apiBaseUrl: meta.url, ...more },
});
const genesysForm = (more: object = {}) => ({
  type: 'genesys',
  credentials: { clientId: 'client-1', clientSecret: 'genesys-client-secret', region: 'eu-central-1', apiBaseUrl: genesys.url, loginBaseUrl: genesys.url, ...more },
});
const connect = (tenantId: TenantId, form: { type: string; credentials: object }): Promise<ConnectionRecord> =>
  runAsTenant(tenantId, () => connectAccount(deps, { ...form, credentials: { ...form.credentials } }));
const codeOf = (attempt: Promise<unknown>) => attempt.then(() => 'accepted', (error: unknown) => (isHubError(error) ? error.code : String(error)));
const webhooksOf = async (connectionId: ConnectionId) => {
  const [found] = await runAsSystem('test', () => deps.webhookConnections.find({ connectionIds: [connectionId], routingIdentifiers: [], handshake: undefined }, now));
  if (found === undefined) throw new Error('no such connection');
  return found;
};
const openedOf = (tenantId: TenantId, connectionId: ConnectionId) =>
  runAsTenant(tenantId, async () => {
    const connection = await deps.connections.find(connectionId);
    return connection && (await deps.connections.openAccount(connection));
  });
const recheckAfter = async (minutes: number) => {
  now = new Date(now.getTime() + minutes * 60_000);
  await recheckDrafts(deps, kit.log);
};
const show = (tenantId: TenantId, connectionId: ConnectionId) => runAsTenant(tenantId, () => deps.connections.find(connectionId));

describe('connecting WhatsApp', () => {
  it('is active at once when Meta knows the number by the token, and subscribes the app to the WABA', async () => {
    const form = metaForm({ wabaId: '900' });
    const connection = await connect(acme, form);
    expect(connection).toMatchObject({
      type: 'meta',
      provider: 'whatsapp',
      role: 'channel',
      status: 'active',
      statusReason: null,
      routingIdentifiers: { phoneNumberId: form.credentials.phoneNumberId, wabaId: '900' },
      webhookUrl: `https://hub.example.net/webhooks/whatsapp/${connection.id}`,
      sharedWebhookUrl: 'https://hub.example.net/webhooks/whatsapp',
      settings: { displayPhoneNumber: '+1 555 0100', apiVersion: 'v25.0' },
    });
    expect(JSON.stringify(connection)).not.toMatch(/meta-(app-secret|verify-token|access-token)/);
    expect(meta.calls.map((call) => `${call.method} ${call.path}`)).toContain('POST /v25.0/900/subscribed_apps');
    expect(kit.published.filter((event) => event.type === 'connection.changed').map((event) => [event.orderingKey, event.payload])).toEqual([
      [connection.id, expect.objectContaining({ status: 'pending', version: 1 })],
      [connection.id, expect.objectContaining({ status: 'active', version: 2 })],
    ]);
  });

  it('keeps what cannot be verified as pending, says why in the tenant\'s terms, and asks no more with a token that was refused', async () => {
    const connection = await connect(acme, metaForm({ accessToken: 'expired-token' }));
    expect(connection).toMatchObject({ status: 'pending', statusReason: expect.stringContaining('Meta refuses the access token') });
    meta.calls.length = 0;
    await recheckAfter(60);
    expect(meta.calls).toEqual([]);
  });

  it('activates by itself once the provider answers again, with ever longer pauses in between', async () => {
    meta.down = true;
    const connection = await connect(acme, metaForm());
    expect(connection).toMatchObject({ status: 'pending', statusReason: expect.stringContaining('problem of its own') });
    await recheckAfter(1);
    await recheckAfter(1);
    expect(meta.calls).toHaveLength(2);
    meta.down = false;
    await recheckAfter(1);
    expect(await show(acme, connection.id)).toMatchObject({ status: 'active', draft: undefined });
  });

  it('goes on with a check that a crash cut off', async () => {
    const before = deps.egress;
    const crashing: Dependencies = { ...deps, egress: { ...before, request: () => Promise.reject(new Error('killed')) } };
    const form = metaForm();
    await expect(runAsTenant(acme, () => connectAccount(crashing, { ...form, credentials: { ...form.credentials } }))).rejects.toThrow('killed');
    await recheckAfter(3);
    const [connection] = await runAsTenant(acme, () => deps.connections.list());
    expect(connection).toMatchObject({ status: 'active' });
  });

  it('refuses a number that works for another tenant, and stores nothing', async () => {
    const form = metaForm();
    await connect(acme, form);
    expect(await codeOf(connect(globex, form))).toBe('connection.identifier_taken');
    expect(await runAsTenant(globex, () => deps.connections.list())).toEqual([]);
  });

  it('lets two tenants post the same number at once: one gets it, the other waits and is told', async () => {
    const form = metaForm();
    const outcomes = await Promise.all([acme, globex].map((tenant) => connect(tenant, form).then((connection) => connection.status, (error: unknown) => (isHubError(error) ? error.code : String(error)))));
    expect(outcomes.filter((outcome) => outcome === 'active')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'pending' || outcome === 'connection.identifier_taken')).toHaveLength(1);
  });

  it('lets a number that is only pending elsewhere be connected by who has the right token', async () => {
    const form = metaForm();
    expect(await connect(globex, { ...form, credentials: { ...form.credentials, accessToken: 'guessed' } })).toMatchObject({ status: 'pending' });
    expect(await connect(acme, form)).toMatchObject({ status: 'active' });
  });

  it('replaces the credentials of a number that is posted again; the old app secret stays valid for the overlap', async () => {
    const form = metaForm();
    const first = await connect(acme, form);
    const second = await connect(acme, { ...form, credentials: { ...form.credentials, appSecret: 'meta-app-secret-2' } });
    expect(second.id).toBe(first.id);
    const webhooks = await webhooksOf(first.id);
    expect(webhooks.webhookSecrets).toEqual([
      { value: 'meta-app-secret-2', expiresAt: null },
      { value: 'meta-app-secret', expiresAt: new Date(now.getTime() + 24 * 3_600_000).toISOString() },
    ]);
    await recheckAfter(24 * 60 + 1);
    expect((await webhooksOf(first.id)).webhookSecrets.map((secret) => secret.value)).toEqual(['meta-app-secret-2']);
  });

  it('keeps working with what it has when wrong credentials are posted again', async () => {
    const form = metaForm();
    const first = await connect(acme, form);
    const second = await connect(acme, { ...form, credentials: { ...form.credentials, accessToken: 'typo' } });
    expect(second).toMatchObject({ id: first.id, status: 'active', statusReason: expect.stringContaining('not in use yet') });
    expect((await openedOf(acme, first.id))?.credentials['accessToken']).toBe('meta-access-token');
  });

  it('believes what the provider said of credentials only as long as they are the ones posted last', async () => {
    const form = metaForm();
    const real = deps.egress;
    let posted: Promise<ConnectionRecord> | undefined;
    const slow: Dependencies = {
      ...deps,
      egress: {
        ...real,
        assertAllowed: (url) => real.assertAllowed(url),
        request: async (request) => {
          const reply = await real.request(request);
          // While Meta's word on the first ones is on its way, the tenant posts others.
          posted ??= connect(acme, { ...form, credentials: { ...form.credentials, accessToken: 'typo' } });
          await posted;
          return reply;
        },
      },
    };
    const late = await runAsTenant(acme, () => connectAccount(slow, { ...form, credentials: { ...form.credentials } }));
    expect(late).toMatchObject({ id: (await posted)?.id, status: 'pending', statusReason: expect.stringContaining('access token') });
  });

  it('says which fields are wrong without repeating them', async () => {
    const attempt = connect(acme, metaForm({ phoneNumberId: '+1 555', nonsense: 'secret-value' }));
    await expect(attempt).rejects.toMatchObject({ code: 'request.invalid', issues: [{ path: 'body.credentials.phoneNumberId' }, { path: 'body.credentials.nonsense' }] });
    expect(await codeOf(connect(acme, { type: 'icq', credentials: {} }))).toBe('connection.type_unknown');
  });

  it('refuses the sandbox where there is none, and addresses that are not allowed', async () => {
    expect(await codeOf(connect(acme, metaForm({ sandbox: true })))).toBe('request.invalid');
    expect(await codeOf(connect(acme, metaForm({ apiBaseUrl: 'http://169.254.169.254' })))).toBe('egress.refused');
  });
});

describe('connecting Genesys', () => {
  it('creates the integration with our webhook and a secret of its own, and waits until it is completed', async () => {
    genesys.completesAfter = 1;
    const connection = await connect(acme, genesysForm());
    expect(connection).toMatchObject({ type: 'genesys', role: 'desk', status: 'active', settings: { region: 'mypurecloud.de', clientId: 'client-1', integrationOrigin: 'created' }, sharedWebhookUrl: null });
    const created = genesys.integrations.get(connection.routingIdentifiers['integrationId'] ?? '');
    expect(created?.outboundNotificationWebhookUrl).toBe(`https://hub.example.net/webhooks/genesys/${connection.id}`);
    expect(created?.outboundNotificationWebhookSignatureSecretToken).toMatch(/^[\w-]{43}$/);
    expect((await webhooksOf(connection.id)).webhookSecrets).toEqual([{ value: created?.outboundNotificationWebhookSignatureSecretToken, expiresAt: null }]);
  });

  it('stays pending while Genesys takes its time, and is finished later without creating a second one', async () => {
    genesys.completesAfter = 100;
    const made = genesys.integrations.size;
    const connection = await connect(acme, genesysForm());
    expect(connection).toMatchObject({ status: 'pending', statusReason: expect.stringContaining('still creating'), routingIdentifiers: { integrationId: expect.any(String) } });
    genesys.completesAfter = 0;
    await recheckAfter(1);
    expect(await show(acme, connection.id)).toMatchObject({ status: 'active', routingIdentifiers: connection.routingIdentifiers });
    expect(genesys.integrations.size).toBe(made + 1);
  });

  it('finds the integration it created when the answer was lost', async () => {
    const made = genesys.integrations.size;
    const real = deps.egress;
    const losing: Dependencies = {
      ...deps,
      egress: {
        ...real,
        assertAllowed: (url) => real.assertAllowed(url),
        request: async (request) => {
          const reply = await real.request(request);
          if (request.method === 'POST' && request.url.endsWith('/integrations/open')) throw new Error('connection lost');
          return reply;
        },
      },
    };
    await expect(runAsTenant(acme, () => connectAccount(losing, genesysForm()))).rejects.toThrow('connection lost');
    await recheckAfter(3);
    const [connection] = await runAsTenant(acme, () => deps.connections.list());
    expect(connection).toMatchObject({ status: 'active' });
    expect(genesys.integrations.size).toBe(made + 1);
  });

  it('keeps the integration it created when credentials are posted again, and gives Genesys a new secret', async () => {
    const first = await connect(acme, genesysForm());
    const [oldSecret] = (await webhooksOf(first.id)).webhookSecrets;
    const second = await connect(acme, genesysForm());
    expect(second).toMatchObject({ id: first.id, status: 'active', routingIdentifiers: first.routingIdentifiers });
    const [newSecret, previous] = (await webhooksOf(first.id)).webhookSecrets;
    expect(previous?.value).toBe(oldSecret?.value);
    expect(newSecret?.value).not.toBe(oldSecret?.value);
    expect(genesys.integrations.get(first.routingIdentifiers['integrationId'] ?? '')?.outboundNotificationWebhookSignatureSecretToken).toBe(newSecret?.value);
  });

  it('accepts the new secret before Genesys is told of it, so that no webhook falls between', async () => {
    const first = await connect(acme, genesysForm());
    let acceptedAtPatch: string[] = [];
    const real = deps.egress;
    const watching: Dependencies = {
      ...deps,
      egress: {
        ...real,
        assertAllowed: (url) => real.assertAllowed(url),
        request: async (request) => {
          if (request.method === 'PATCH') acceptedAtPatch = (await webhooksOf(first.id)).webhookSecrets.map((secret) => secret.value);
          return await real.request(request);
        },
      },
    };
    await runAsTenant(acme, () => connectAccount(watching, genesysForm()));
    const inUse = (await webhooksOf(first.id)).webhookSecrets.map((secret) => secret.value);
    expect([...acceptedAtPatch].toSorted()).toEqual([...inUse].toSorted());
  });

  it('leaves an integration that the tenant configured as it is', async () => {
    genesys.integrations.set('int-1', { name: 'Ours', looks: 0 });
    const connection = await connect(acme, genesysForm({ integrationId: 'int-1', webhookSecret: 'a-secret-of-the-tenant' }));
    expect(connection).toMatchObject({ status: 'active', routingIdentifiers: { integrationId: 'int-1' } });
    expect(genesys.calls.filter((call) => call.method === 'PATCH')).toEqual([]);
    expect((await webhooksOf(connection.id)).webhookSecrets[0]?.value).toBe('a-secret-of-the-tenant');
  });

  it('gives a known integration our URL and a secret when the tenant has none', async () => {
    genesys.integrations.set('int-2', { name: 'Theirs', looks: 0 });
    const connection = await connect(acme, genesysForm({ integrationId: 'int-2' }));
    expect(genesys.integrations.get('int-2')).toMatchObject({ name: 'Theirs', outboundNotificationWebhookUrl: connection.webhookUrl, outboundNotificationWebhookSignatureSecretToken: expect.any(String) });
  });

  it('says what is wrong with the client secret and with the integration id', async () => {
    expect(await connect(acme, genesysForm({ clientSecret: 'wrong' }))).toMatchObject({ status: 'pending', statusReason: expect.stringContaining('client id or client secret') });
    expect(await connect(globex, genesysForm({ integrationId: 'nowhere' }))).toMatchObject({ status: 'pending', statusReason: expect.stringContaining('no Open Messaging integration nowhere') });
  });
});

describe('routes', () => {
  it('join one channel and one desk by themselves, and tell those who keep them', async () => {
    const channel = await connect(acme, metaForm());
    expect(await runAsTenant(acme, () => deps.routes.list())).toEqual([]);
    const desk = await connect(acme, genesysForm());
    expect(await runAsTenant(acme, () => deps.routes.list())).toEqual([{ channelConnectionId: channel.id, botConnectionId: null, deskConnectionId: desk.id, startsWith: 'desk', settings: {} }]);
    expect(kit.published.filter((event) => event.type === 'routes.changed').map((event) => event.payload)).toEqual([{ version: 1 }, { version: 2 }]);
  });

  it('stay as the tenant chose them', async () => {
    const [channel, desk] = [await connect(acme, metaForm()), await connect(acme, genesysForm())];
    const chosen = [{ channelConnectionId: channel.id, botConnectionId: null, deskConnectionId: desk.id, startsWith: 'none' as const, settings: {} }];
    expect(await runAsTenant(acme, () => chooseRoutes(deps, chosen))).toMatchObject({ source: 'chosen' });
    await connect(acme, genesysForm());
    expect(await runAsTenant(acme, () => deps.routes.list())).toEqual(chosen);
  });

  it('take no connection of another tenant', async () => {
    const channel = await connect(acme, metaForm());
    const desk = await connect(globex, genesysForm());
    const route = { channelConnectionId: channel.id, botConnectionId: null, deskConnectionId: desk.id, startsWith: 'desk' as const, settings: {} };
    expect(await codeOf(runAsTenant(acme, () => chooseRoutes(deps, [route])))).toBe('route.invalid');
    expect(await codeOf(runAsTenant(acme, () => chooseRoutes(deps, [{ ...route, deskConnectionId: newId('con') }])))).toBe('route.invalid');
  });
});

describe('what webhooks belong to', () => {
  it('is found by routing identifier over all tenants, active connections alone', async () => {
    const [mine, theirs] = [metaForm({ wabaId: '901' }), metaForm({ wabaId: '901' })];
    const [a, b] = [await connect(acme, mine), await connect(globex, theirs)];
    const pending = await connect(acme, metaForm({ wabaId: '901', accessToken: 'wrong' }));
    const find = (name: string, value: string) =>
      runAsSystem('test', () => deps.webhookConnections.find({ connectionIds: [], routingIdentifiers: [{ provider: 'whatsapp', name, value }], handshake: undefined }, now));
    expect((await find('phoneNumberId', mine.credentials.phoneNumberId)).map((found) => [found.tenantId, found.connectionId])).toEqual([[acme, a.id]]);
    expect((await find('wabaId', '901')).map((found) => found.connectionId).toSorted()).toEqual([a.id, b.id].toSorted());
    expect(await find('phoneNumberId', pending.routingIdentifiers['phoneNumberId'] ?? '')).toEqual([]);
  });

  it('is found by the handshake token, of a connection that is still pending too', async () => {
    const connection = await connect(acme, metaForm({ verifyToken: `token-of-${acme}`, accessToken: 'wrong' }));
    const { hashHandshakeToken } = await import('./post-draft.ts');
    const handshake = (token: string) => ({ provider: 'whatsapp' as const, tokenHash: hashHandshakeToken(kit.config.apiKeyPepper, token) });
    const find = (token: string) => runAsSystem('test', () => deps.webhookConnections.find({ connectionIds: [], routingIdentifiers: [], handshake: handshake(token) }, now));
    expect(await find(`token-of-${acme}`)).toMatchObject([{ connectionId: connection.id, verifyToken: `token-of-${acme}` }]);
    expect(await find('another')).toEqual([]);
  });
});
