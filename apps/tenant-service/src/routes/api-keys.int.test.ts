import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as contracts from '@switchboard/contracts';
import { generateApiKey, newId, type ApiKeyRecord, type ReplyOf, type Scope, type TenantId } from '@switchboard/contracts';
import { describeRoute, internalTokenHeaders, keyHeaders, memberHeaders, testKeyId } from '@switchboard/service-kit/testing';
import { testTenants } from '@switchboard/testing';
import { secretsFoundIn } from '../testing/secrets-found-in.ts';
import { insertKeys } from '../testing/insert-keys.ts';
import { startTenantService, type ServiceUnderTest } from '../testing/start-service.ts';

const [acme, globex] = testTenants;
let service: ServiceUnderTest;

beforeAll(async () => {
  service = await startTenantService();
  for (const tenantId of testTenants) await service.call('POST', '/tenants', { tenantId, name: tenantId });
  // The one that the suite calls with.
  await insertKeys(service.database.adminUrl, acme, [testKeyId]);
}, 60_000);
afterAll(() => service?.stop());

type Made = { readonly key: ApiKeyRecord; readonly apiKey: string };
const own = (tenantId: TenantId, scopes?: readonly Scope[]) => keyHeaders('tenant-service', tenantId, scopes);
const post = (path: string, body: unknown, headers?: Record<string, string>) => service.call('POST', path, body, headers);
const resolve = (apiKey: string) => post('/internal/api-keys/resolve', { apiKey }, internalTokenHeaders('tenant-service', undefined, 'api-gateway'));
const form = (more: object = {}) => ({ name: 'Shop', scopes: ['state:read'] satisfies Scope[], ...more });
async function make(tenantId: TenantId, more: object = {}): Promise<Made> {
  const { status, json } = await post(`/tenants/${tenantId}/keys`, form(more));
  expect(status).toBe(201);
  return json as Made; // described by the contract, which the kit has checked
}

const suite = { service: 'tenant-service', url: () => service.url, tenants: testTenants } as const;
// A maker with the scope of making keys alone can grant no more than that.
const grantable = { scopes: ['keys:write'] };
const oneKey = async (tenantId: TenantId) => ({ params: { tenantId, keyId: (await make(tenantId, grantable)).key.keyId } });
const missing = <T extends { readonly params?: object }>(input: T) => ({ ...input, params: { ...input.params, keyId: newId('key') } }) as T;

describeRoute(contracts.createApiKey, {
  ...suite,
  input: (tenantId) => ({ params: { tenantId }, body: form({ scopes: ['keys:write'] }) }),
  badInputs: {
    'a name with a zero character': (input) => ({ ...input, body: form({ name: 'a\u0000b' }) }),
    'no scope': (input) => ({ ...input, body: form({ scopes: [] }) }),
    'a scope that does not exist': (input) => ({ ...input, body: form({ scopes: ['state:delete'] }) }),
    'a scope named twice': (input) => ({ ...input, body: form({ scopes: ['state:read', 'state:read'] }) }),
    'an address without a prefix': (input) => ({ ...input, body: form({ cidrs: ['10.0.0.1'] }) }),
    'a prefix that is too long': (input) => ({ ...input, body: form({ cidrs: ['10.0.0.0/33'] }) }),
    'a v6 network that is none': (input) => ({ ...input, body: form({ cidrs: ['2001:db8::/129'] }) }),
    'an expiry that is past': (input) => ({ ...input, body: form({ expiresAt: '2020-01-01T00:00:00.000Z' }) }),
  },
});
describeRoute(contracts.listApiKeys, { ...suite, input: (tenantId) => ({ params: { tenantId } }) });
describeRoute(contracts.getApiKey, { ...suite, input: oneKey, missing });
describeRoute(contracts.rotateApiKey, { ...suite, input: async (tenantId) => ({ ...(await oneKey(tenantId)), body: {} }), missing, badInputs: { 'an overlap of months': (input) => ({ ...input, body: { overlapHours: 1_000 } }) } });
describeRoute(contracts.revokeApiKey, { ...suite, input: oneKey, missing });

describe('an API key', () => {
  it('opens its tenant with what it was given, and is shown once', async () => {
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const { key, apiKey } = await make(acme, { scopes: ['state:read', 'tenant:read'], cidrs: ['203.0.113.0/24', '2001:db8::/32'], rateLimit: 30, expiresAt });
    expect(key).toEqual({
      keyId: expect.stringMatching(/^key_/), name: 'Shop', prefix: apiKey.slice(0, 29), scopes: ['state:read', 'tenant:read'], cidrs: ['203.0.113.0/24', '2001:db8::/32'], rateLimit: 30,
      status: 'active', createdAt: expect.any(String), lastUsedAt: null, expiresAt, revokedAt: null, replacedBy: null,
    });
    expect(await resolve(apiKey)).toMatchObject({ status: 200, json: { keyId: key.keyId, scopes: ['state:read', 'tenant:read'], cidrs: ['203.0.113.0/24', '2001:db8::/32'], rateLimit: 30, expiresAt, tenant: { tenantId: acme } } });
    const { json: seen } = await service.call('GET', `/tenants/${acme}/keys/${key.keyId}`);
    expect(seen).toEqual({ ...key, lastUsedAt: expect.any(String) });
    expect(await secretsFoundIn(service.database.adminUrl, [apiKey, apiKey.slice(29)])).toEqual([]);
  });

  it('is answered for among many as it is alone: each its own tenant, and nothing for what opens nothing', async () => {
    const [ofAcme, another, ofGlobex, revoked] = [await make(acme, { rateLimit: 30 }), await make(acme), await make(globex), await make(globex)];
    await service.call('DELETE', `/tenants/${globex}/keys/${revoked.key.keyId}`);
    const swapped = ofAcme.apiKey.slice(0, 29) + ofGlobex.apiKey.slice(29);
    const texts = [ofGlobex.apiKey, 'no key at all', revoked.apiKey, ofAcme.apiKey, generateApiKey(newId('key')), generateApiKey(ofAcme.key.keyId), swapped, another.apiKey, ofAcme.apiKey];
    const { status, json } = await post('/internal/api-keys/resolve-many', { apiKeys: texts }, internalTokenHeaders('tenant-service', undefined, 'api-gateway'));
    expect(status).toBe(200);
    const { keys, tenants } = json as ReplyOf<typeof contracts.resolveApiKeys>; // described by the contract, which the kit has checked
    expect(keys.map((key) => key && [key.keyId, key.tenantId, key.rateLimit])).toEqual([
      [ofGlobex.key.keyId, globex, null], null, null, [ofAcme.key.keyId, acme, 30], null, null, null, [another.key.keyId, acme, null], [ofAcme.key.keyId, acme, 30],
    ]);
    expect(tenants.map(({ tenantId }) => tenantId).toSorted()).toEqual([acme, globex]);
    const used = async (tenantId: TenantId, { key }: Made) => ((await service.call('GET', `/tenants/${tenantId}/keys/${key.keyId}`)).json as ApiKeyRecord).lastUsedAt;
    expect([await used(acme, ofAcme), await used(acme, another), await used(globex, ofGlobex), await used(globex, revoked)]).toEqual([expect.any(String), expect.any(String), expect.any(String), null]);
  });

  it('is listed for its tenant alone, every key once', async () => {
    const mine = [await make(globex), await make(globex), await make(globex)];
    const seen: ApiKeyRecord[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { json } = await service.call('GET', `/tenants/${globex}/keys?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`, undefined, own(globex, ['tenant:read']));
      const page = json as { data: ApiKeyRecord[]; nextCursor: string | null };
      seen.push(...page.data);
      cursor = page.nextCursor;
    }
    expect(new Set(seen.map((key) => key.keyId)).size).toBe(seen.length);
    expect(seen.map((key) => key.keyId)).toEqual(expect.arrayContaining(mine.map(({ key }) => key.keyId)));
    const { json } = await service.call('GET', `/tenants/${acme}/keys?limit=200`);
    expect((json as { data: ApiKeyRecord[] }).data.map((key) => key.keyId)).not.toContain(mine[0]?.key.keyId);
    expect(JSON.stringify(seen)).not.toContain(mine[0]?.apiKey.slice(29));
  });

  it('hands on no scope that its maker does not have, neither new nor by rotating', async () => {
    const some = own(acme, ['keys:write', 'state:read']);
    expect(await post(`/tenants/${acme}/keys`, form(), some)).toMatchObject({ status: 201 });
    expect(await post(`/tenants/${acme}/keys`, form({ scopes: ['state:read', 'state:write'] }), some)).toMatchObject({ status: 403, json: { code: 'auth.scope_missing', detail: expect.stringContaining('state:write') } });
    const { key } = await make(acme, { scopes: ['audit:read'] });
    expect(await post(`/tenants/${acme}/keys/${key.keyId}/rotate`, {}, some)).toMatchObject({ status: 403, json: { code: 'auth.scope_missing' } });
    expect(await post(`/tenants/${acme}/keys`, form({ scopes: [...contracts.scopes] }), memberHeaders('tenant-service', acme, 'owner'))).toMatchObject({ status: 201 });
    expect(await post(`/tenants/${acme}/keys`, form(), memberHeaders('tenant-service', acme, 'agent'))).toMatchObject({ status: 403 });
  });

  it('is replaced with an overlap: both work, then only the new one', async () => {
    const { key, apiKey } = await make(acme, { cidrs: ['10.0.0.0/8'], rateLimit: 5 });
    const { json } = await post(`/tenants/${acme}/keys/${key.keyId}/rotate`, { overlapHours: 1 });
    const next = json as Made;
    expect(next.key).toMatchObject({ name: 'Shop', scopes: ['state:read'], cidrs: ['10.0.0.0/8'], rateLimit: 5, status: 'active', expiresAt: null });
    expect((await resolve(apiKey)).status).toBe(200);
    expect((await resolve(next.apiKey)).status).toBe(200);
    const { json: old } = await service.call('GET', `/tenants/${acme}/keys/${key.keyId}`);
    expect(old).toMatchObject({ status: 'active', replacedBy: next.key.keyId });
    expect(Math.abs(new Date((old as ApiKeyRecord).expiresAt ?? 0).getTime() - Date.now() - 3_600_000)).toBeLessThan(10_000);

    await post(`/tenants/${acme}/keys/${next.key.keyId}/rotate`, { overlapHours: 0 });
    expect((await resolve(next.apiKey)).status).toBe(401);
    expect(await post(`/tenants/${acme}/keys/${next.key.keyId}/rotate`, {})).toMatchObject({ status: 409, json: { code: 'api_key.not_active' } });
  });

  it('that is to expire soon gains no time by being replaced', async () => {
    const expiresAt = new Date(Date.now() + 60_000).toISOString();
    const { key } = await make(acme, { expiresAt });
    const { json } = await post(`/tenants/${acme}/keys/${key.keyId}/rotate`, { overlapHours: 24 });
    expect((json as Made).key.expiresAt).toBe(expiresAt);
    expect((await service.call('GET', `/tenants/${acme}/keys/${key.keyId}`)).json).toMatchObject({ expiresAt });
  });

  it('opens nothing once it is revoked, and revoking it again changes nothing', async () => {
    const { key, apiKey } = await make(acme);
    expect((await service.call('DELETE', `/tenants/${acme}/keys/${key.keyId}`, undefined, own(acme, ['keys:write']))).status).toBe(204);
    expect(await resolve(apiKey)).toMatchObject({ status: 401, json: { code: 'auth.missing' } });
    const { json: revoked } = await service.call('GET', `/tenants/${acme}/keys/${key.keyId}`);
    expect(revoked).toMatchObject({ status: 'revoked', revokedAt: expect.any(String) });
    expect((await service.call('DELETE', `/tenants/${acme}/keys/${key.keyId}`)).status).toBe(204);
    expect((await service.call('GET', `/tenants/${acme}/keys/${key.keyId}`)).json).toEqual(revoked);
  });

  it('of a tenant that does not exist is not made', async () => {
    expect(await post('/tenants/nobody-here/keys', form())).toMatchObject({ status: 404, json: { code: 'tenant.not_found' } });
  });
});
