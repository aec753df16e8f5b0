import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as contracts from '@switchboard/contracts';
import { newId, type ConnectionRecord, type TenantId } from '@switchboard/contracts';
import { adminHeaders, describeRoute, keyHeaders, testKeyId } from '@switchboard/service-kit/testing';
import { testTenants } from '@switchboard/testing';
import pg from 'pg';
import { startFakeMeta, type FakeMeta } from '../testing/fake-providers.ts';
import { startTenantService, type ServiceUnderTest } from '../testing/start-service.ts';

const [acme, globex] = testTenants;
const numbers = Array.from({ length: 120 }, (_, index) => `7001002005${String(index).padStart(3, '0')}`);

let running: ServiceUnderTest;
let admin: pg.Pool;
let meta: FakeMeta;

beforeAll(async () => {
  meta = await startFakeMeta(numbers);
  running = await startTenantService();
  admin = new pg.Pool({ connectionString: running.database.adminUrl, max: 1 });
  for (const tenantId of testTenants) await call('POST', '/tenants', adminHeaders(), { tenantId, name: tenantId });
}, 60_000);

afterAll(async () => {
  await admin?.end();
  await running?.stop();
  await meta?.close();
});

async function call(method: string, path: string, headers: Record<string, string>, body?: unknown): Promise<{ status: number; json: unknown; headers: Headers }> {
  const response = await fetch(`${running.url}${path}`, { method, headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) }, ...(body !== undefined && { body: JSON.stringify(body) }) });
  return { status: response.status, json: await response.json(), headers: response.headers };
}

let nextNumber = 0;
const form = (more: object = {}) => ({
  type: 'meta',
  credentials: { appSecret: 'app-secret', verifyToken: 'verify-token', accessToken: 'meta-access-token', phoneNumberId: numbers[nextNumber++] ?? '', apiBaseUrl: meta.url, ...more },
});

async function connect(tenantId: TenantId): Promise<ConnectionRecord> {
  const { status, json } = await call('POST', `/tenants/${tenantId}/credentials`, keyHeaders('tenant-service', tenantId, ['tenant:write']), form());
  expect(status).toBe(201);
  return json as ConnectionRecord; // described by the contract, which the kit has checked
}

const suite = { service: 'tenant-service', url: () => running.url, tenants: testTenants } as const;
const params = async (tenantId: TenantId) => ({ params: { tenantId, connectionId: (await connect(tenantId)).id } });
const noSuch = <I extends { params?: object }>(input: I): I => ({ ...input, params: { ...input.params, connectionId: newId('con') } });

describeRoute(contracts.updateConnection, {
  ...suite,
  input: async (tenantId) => ({ ...(await params(tenantId)), body: { name: 'Sales' } }),
  missing: noSuch,
  badInputs: {
    'a name of blanks': (input) => ({ ...input, body: { name: ' ' } }),
    'a status that is no choice': (input) => ({ ...input, body: { status: 'pending' } }),
    'a secret among the settings': (input) => ({ ...input, body: { settings: { accessToken: 'x' } } }),
    'another address for the stored credentials': (input) => ({ ...input, body: { settings: { apiBaseUrl: 'https://example.com' } } }),
    'settings for a connection that is switched off': (input) => ({ ...input, body: { status: 'disabled', settings: {} } }),
  },
});
describeRoute(contracts.rotateCredentials, {
  ...suite,
  input: async (tenantId) => ({ ...(await params(tenantId)), body: { credentials: { accessToken: 'meta-access-token' } } }),
  missing: noSuch,
  badInputs: {
    'a field that the form does not have': (input) => ({ ...input, body: { credentials: { pin: '1' } } }),
    'the number of another account': (input) => ({ ...input, body: { credentials: { phoneNumberId: '1' } } }),
    'the sandbox, where there is none': (input) => ({ ...input, body: { credentials: { sandbox: true, appSecret: 'a', verifyToken: 'b', accessToken: 'c' } } }),
  },
});
describeRoute(contracts.endPreviousSecrets, { ...suite, input: params, missing: noSuch });
describeRoute(contracts.testConnection, { ...suite, input: params, missing: noSuch });
describeRoute(contracts.deleteConnection, { ...suite, input: params, missing: noSuch });

describe('a tenant by itself', () => {
  const as = (tenantId: TenantId) => keyHeaders('tenant-service', tenantId, ['tenant:read', 'tenant:write']);

  it('connects, sees, tests and deletes, and the audit has who did it', async () => {
    const connection = await connect(acme);
    expect(await call('GET', `/tenants/${acme}/connections/${connection.id}`, as(acme))).toMatchObject({
      status: 200,
      json: { id: connection.id, status: 'active', health: { lastWebhookAt: null, lastSuccessAt: null, lastError: null, tokenExpiresAt: null } },
    });
    const path = `/tenants/${acme}/connections/${connection.id}`;
    expect(await call('POST', `${path}/test`, as(acme))).toMatchObject({ status: 200, json: { ok: true } });
    const again = await call('POST', `${path}/test`, as(acme));
    expect(again).toMatchObject({ status: 429, json: { code: 'limit.rate_exceeded' } });
    expect(again.headers.get('retry-after')).toBe('10');
    expect((await call('GET', path, as(acme))).json).toMatchObject({ health: { lastSuccessAt: expect.any(String) } });
    expect(await call('DELETE', path, as(acme))).toMatchObject({ status: 200, json: { id: connection.id, atProvider: { outcome: 'nothing_to_remove' } } });
    expect(await call('GET', path, as(acme))).toMatchObject({ status: 404, json: { code: 'connection.not_found' } });
    const other = await connect(acme);
    await call('POST', `/tenants/${acme}/connections/${other.id}/rotate`, as(acme), { credentials: { appSecret: 'a-secret-that-was-rotated-in', apiVersion: 'v26.0' } });
    const { json } = await call('GET', `/tenants/${acme}/audit?limit=200`, adminHeaders());
    const rotated = (json as { data: { subject: string; action: string }[] }).data.find(({ subject, action }) => subject === other.id && action === 'credentials.rotated');
    expect(rotated).toMatchObject({ before: { apiVersion: 'v25.0' }, after: { apiVersion: 'v26.0' }, facts: { fields: ['appSecret', 'apiVersion'] } });
    expect(JSON.stringify(json)).not.toContain('a-secret-that-was-rotated-in');
    const mine = (json as { data: { subject: string; action: string; actor: { kind: string; subject: string } }[] }).data.filter(({ subject }) => subject === connection.id);
    expect(mine.find(({ action }) => action === 'connection.deleted')).toMatchObject({ actor: { kind: 'key', subject: testKeyId } });
    expect(mine.map(({ action }) => action)).toEqual(expect.arrayContaining(['credentials.posted', 'connection.activated', 'connection.disabled', 'connection.deleted']));
  });

  it('sees no connection of another, whichever tenant the path names', async () => {
    const theirs = await connect(globex);
    expect(await call('GET', `/tenants/${globex}/connections/${theirs.id}`, as(acme))).toMatchObject({ status: 404, json: { code: 'tenant.not_found' } });
    expect(await call('DELETE', `/tenants/${acme}/connections/${theirs.id}`, as(acme))).toMatchObject({ status: 404, json: { code: 'connection.not_found' } });
    const { json } = await call('GET', `/tenants/${acme}/connections?limit=200`, as(acme));
    expect((json as { data: ConnectionRecord[] }).data.map(({ id }) => id)).not.toContain(theirs.id);
  });
});

describe('what other services see of a connection', () => {
  it('is shown with it, and a tenant\'s event says nothing of another\'s connection', async () => {
    const connection = await connect(acme);
    const at = '2026-11-21T12:00:00.000Z';
    const seen = (tenantId: TenantId, payload: object) => ({ eventId: newId('evt'), type: 'connection.health', version: 1, tenantId, occurredAt: at, orderingKey: connection.id, payload: { connectionId: connection.id, provider: 'whatsapp', ...payload } });
    const lastError = { code: 'provider.unauthorized', message: 'WhatsApp refuses the access token.', at };
    await admin.query('select bus.publish($1::jsonb)', [JSON.stringify([seen(globex, { lastWebhookAt: at }), seen(acme, { lastSuccessAt: at, lastError })])]);
    const path = `/tenants/${acme}/connections/${connection.id}`;
    let health: ConnectionRecord['health'] | undefined;
    for (const end = Date.now() + 10_000; (health?.lastError ?? null) === null && Date.now() < end; ) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      health = ((await call('GET', path, adminHeaders())).json as ConnectionRecord).health;
    }
    expect(health).toEqual({ lastWebhookAt: null, lastSuccessAt: at, lastError, tokenExpiresAt: null });
  });
});
