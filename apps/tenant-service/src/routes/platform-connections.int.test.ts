import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as contracts from '@switchboard/contracts';
import { newId, type ConnectionRecord, type PlatformConnectionRecord, type TenantId } from '@switchboard/contracts';
import { describeRoute, internalTokenHeaders, keyHeaders } from '@switchboard/service-kit/testing';
import { testTenants } from '@switchboard/testing';
import { startFakeChatwoot, type FakeChatwoot } from '../testing/fake-chatwoot.ts';
import { secretsFoundIn } from '../testing/secrets-found-in.ts';
import { startTenantService, type ServiceUnderTest } from '../testing/start-service.ts';

const [acme, globex] = testTenants;
let running: ServiceUnderTest;
let server: FakeChatwoot;
let nextAccount = 0;

beforeAll(async () => {
  server = await startFakeChatwoot(Array.from({ length: 200 }, (_, index) => String(index + 1)));
  running = await startTenantService({ SANDBOX_ENABLED: 'true', SANDBOX_URL: server.url });
  for (const tenantId of testTenants) await running.call('POST', '/tenants', { tenantId, name: tenantId });
}, 60_000);

afterAll(async () => {
  await running?.stop();
  await server?.close();
});

const credentials = () => {
  const accountId = String(++nextAccount);
  return { apiUrl: server.url, accountId, apiToken: server.accounts.get(accountId)?.token };
};
const form = (more: object = {}) => ({ type: 'chatwoot', name: `Shard ${nextAccount + 1}`, credentials: credentials(), ...more });

async function open(): Promise<PlatformConnectionRecord> {
  const { status, json } = await running.call('POST', '/platform/connections', form());
  expect(status).toBe(201);
  return json as PlatformConnectionRecord; // described by the contract, which the kit has checked
}

async function connect(tenantId: TenantId, more: object): Promise<ConnectionRecord> {
  const { json } = await running.call('POST', `/tenants/${tenantId}/credentials`, { type: 'chatwoot', credentials: more }, keyHeaders('tenant-service', tenantId, ['tenant:write']));
  expect(json).toMatchObject({ status: 'active' });
  return json as ConnectionRecord; // the same
}

const suite = { service: 'tenant-service', url: () => running.url, tenants: testTenants } as const;
const ofOne = async () => ({ params: { platformConnectionId: (await open()).id } });

describeRoute(contracts.createPlatformConnection, {
  ...suite,
  input: () => ({ body: form() }),
  badInputs: {
    'a name of blanks': () => ({ body: form({ name: ' ' }) }),
    'an inbox, which is a tenant\'s': () => ({ body: form({ credentials: { ...credentials(), inboxId: '1' } }) }),
    'an account that is itself shared': () => ({ body: form({ credentials: { mode: 'shared' } }) }),
    'a credential that is missing': () => ({ body: form({ credentials: { apiUrl: server.url, accountId: '1' } }) }),
  },
});
describeRoute(contracts.listPlatformConnections, { ...suite, input: () => ({}), badInputs: { 'a cursor of another making': () => ({ query: { cursor: 'x!' } }) } });
describeRoute(contracts.getPlatformConnection, { ...suite, input: ofOne });
describeRoute(contracts.updatePlatformConnection, {
  ...suite,
  input: async () => ({ ...(await ofOne()), body: { name: 'Europe' } }),
  badInputs: {
    'another account': (input) => ({ ...input, body: { credentials: { accountId: '4711' } } }),
    'a bound below nothing': (input) => ({ ...input, body: { inboxesMax: -1 } }),
  },
});
describeRoute(contracts.deletePlatformConnection, { ...suite, input: ofOne });
describeRoute(contracts.listPlatformInboxes, { ...suite, input: ofOne });
describeRoute(contracts.replaceConnectionInRoutes, {
  ...suite,
  input: async (tenantId) => ({ body: { from: newId('con'), to: (await connect(tenantId, credentials())).id } }),
  missing: (input) => ({ ...input, body: { from: newId('con'), to: newId('con') } }),
});
describeRoute(contracts.retireConnection, {
  ...suite,
  input: async (tenantId) => ({ params: { connectionId: (await connect(tenantId, credentials())).id } }),
  missing: (input) => ({ ...input, params: { connectionId: newId('con') } }),
});

describe('accounts of the platform', () => {
  it('are the platform\'s to see and to change, and no tenant\'s', async () => {
    const shard = await open();
    for (const [method, path] of [['GET', '/platform/connections'], ['GET', `/platform/connections/${shard.id}`], ['DELETE', `/platform/connections/${shard.id}`], ['GET', `/platform/connections/${shard.id}/inboxes`]] as const) {
      expect((await running.call(method, path, undefined, keyHeaders('tenant-service', acme, ['tenant:read', 'tenant:write']))).status).toBe(401);
    }
  });

  it('that do not exist are missing, and of providers without such accounts there are none', async () => {
    const id = newId('pcn');
    for (const [method, path, body] of [['GET', ''], ['PATCH', '', { name: 'x' }], ['DELETE', ''], ['GET', '/inboxes']] as const) {
      expect(await running.call(method, `/platform/connections/${id}${path}`, body)).toMatchObject({ status: 404, json: { code: 'platform_connection.not_found' } });
    }
    expect(await running.call('POST', '/platform/connections', { ...form(), type: 'meta' })).toMatchObject({ status: 400, json: { code: 'connection.type_unknown' } });
  });

  it('show page by page who has which inbox, and keep no secret in the clear', async () => {
    const shard = await open();
    const places = [await connect(acme, { mode: 'shared', platformConnectionId: shard.id }), await connect(globex, { mode: 'shared', platformConnectionId: shard.id })];
    const page = (query: string) => running.call('GET', `/platform/connections/${shard.id}/inboxes${query}`);
    const { json: first } = await page('?limit=1');
    const { data, nextCursor } = first as { data: object[]; nextCursor: string };
    expect(data).toEqual([{ tenantId: acme, connectionId: places[0]?.id, role: 'desk', status: 'active', inboxId: places[0]?.settings['inboxId'] }]);
    expect(await page(`?limit=1&cursor=${nextCursor}`)).toMatchObject({ json: { data: [{ tenantId: globex, connectionId: places[1]?.id }] } });
    expect(await running.call('GET', `/platform/connections/${shard.id}`)).toMatchObject({ json: { inboxes: 2, tenants: 2 } });
    expect(await running.call('DELETE', `/platform/connections/${shard.id}`)).toMatchObject({ status: 409, json: { code: 'platform_connection.in_use' } });
    const account = server.accounts.get(shard.settings['accountId'] ?? '');
    const secrets = [account?.token, account?.webhooks[0]?.secret, account?.bots[0]?.access_token].map(String);
    expect(await secretsFoundIn(running.database.adminUrl, secrets)).toEqual([]);

    const asConnector = (tenantId: TenantId) => internalTokenHeaders('tenant-service', tenantId, 'chatwoot-connector');
    expect(await running.call('GET', `/internal/connections/${places[0]?.id}`, undefined, asConnector(acme))).toMatchObject({
      status: 200,
      json: { settings: { apiUrl: server.url, accountId: shard.settings['accountId'], inboxId: places[0]?.settings['inboxId'] }, credentials: { apiToken: account?.token, botToken: account?.bots[0]?.access_token } },
    });
    expect(await running.call('GET', `/internal/connections/${places[0]?.id}`, undefined, asConnector(globex))).toMatchObject({ status: 404 });
  });
});

describe('the sandbox', () => {
  it('stands in for an account of the platform and for one of a tenant, whatever address was given', async () => {
    const { accountId, apiToken } = credentials();
    const { json } = await running.call('POST', '/platform/connections', { type: 'chatwoot', name: 'In the sandbox', credentials: { sandbox: true, accountId, apiToken } });
    const shard = json as PlatformConnectionRecord; // described by the contract, which the kit has checked
    expect(shard).toMatchObject({ settings: { apiUrl: `${server.url}/chatwoot` }, routingIdentifiers: { account: `${new URL(server.url).host}/chatwoot/${accountId}` } });
    await connect(acme, { mode: 'shared', platformConnectionId: shard.id, inboxName: 'Sandboxed' });
    const own = await connect(globex, { ...credentials(), apiUrl: 'https://chatwoot.example', sandbox: true });
    expect(own.settings).toMatchObject({ apiUrl: `${server.url}/chatwoot`, sandbox: 'true' });
    const renamed = await running.call('PATCH', `/tenants/${globex}/connections/${own.id}`, { settings: { callsPerMinute: 60 } });
    expect(renamed).toMatchObject({ status: 200, json: { status: 'active', statusReason: null, settings: { apiUrl: `${server.url}/chatwoot` } } });
  });
});

describe('moving to another account', () => {
  it('puts every route onto the new connection at once, once, and lets the old inbox go', async () => {
    const shard = await open();
    const [from, to] = [await connect(globex, { mode: 'shared', platformConnectionId: shard.id, inboxName: 'Before' }), await connect(globex, { ...credentials(), inboxName: 'After' })];
    const channel = await running.call('POST', `/tenants/${globex}/credentials`, { type: 'chatwoot', role: 'channel', credentials: credentials() });
    const route = { channelConnectionId: (channel.json as ConnectionRecord).id, botConnectionId: null, deskConnectionId: from.id, startsWith: 'desk', settings: {} };
    expect(await running.call('PUT', `/tenants/${globex}/routes`, { routes: [route] })).toMatchObject({ status: 200 });
    const asConnector = (tenantId: TenantId) => internalTokenHeaders('tenant-service', tenantId, 'chatwoot-connector');
    const replace = (tenantId: TenantId) => running.call('POST', '/internal/routes/replace-connection', { from: from.id, to: to.id }, asConnector(tenantId));
    expect(await replace(acme)).toMatchObject({ status: 404, json: { code: 'connection.not_found' } });
    expect(await replace(globex)).toMatchObject({ status: 200, json: { replaced: 1 } });
    expect(await replace(globex)).toMatchObject({ status: 200, json: { replaced: 0 } });
    expect(await running.call('GET', `/tenants/${globex}/routes`)).toMatchObject({ json: { source: 'chosen', routes: [{ ...route, deskConnectionId: to.id }] } });
    const account = server.accounts.get(shard.settings['accountId'] ?? '');
    expect(account?.inboxes).toHaveLength(1);
    expect(await running.call('POST', `/internal/connections/${from.id}/retire`, undefined, asConnector(globex))).toMatchObject({ status: 200, json: { atProvider: { outcome: 'removed' } } });
    expect(account?.inboxes).toEqual([]);
    expect(await running.call('GET', `/tenants/${globex}/routes`)).toMatchObject({ json: { routes: [{ deskConnectionId: to.id }] } });
  });

  it('takes no connection of another role', async () => {
    const desk = await connect(acme, credentials());
    const { json } = await running.call('POST', `/tenants/${acme}/credentials`, { type: 'chatwoot', role: 'channel', credentials: credentials() });
    const replace = running.call('POST', '/internal/routes/replace-connection', { from: desk.id, to: (json as ConnectionRecord).id }, internalTokenHeaders('tenant-service', acme, 'chatwoot-connector'));
    expect(await replace).toMatchObject({ status: 404 });
  });
});
