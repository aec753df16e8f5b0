import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { apiKeysMax, newId, scopes, type ApiKeyRecord, type TenantId } from '@switchboard/contracts';
import { adminHeaders, internalTokenHeaders, keyHeaders, memberHeaders, platformHeaders } from '@switchboard/service-kit/testing';
import { testTenants } from '@switchboard/testing';
import { insertKeys } from '../testing/insert-keys.ts';
import { secretsFoundIn } from '../testing/secrets-found-in.ts';
import { startTenantService, type Answer, type ServiceUnderTest } from '../testing/start-service.ts';

const [acme, globex] = testTenants;
let service: ServiceUnderTest;
beforeAll(async () => {
  service = await startTenantService();
  for (const tenantId of testTenants) await service.call('POST', '/tenants', { tenantId, name: tenantId });
}, 60_000);
afterAll(() => service?.stop());

type Made = { readonly key: ApiKeyRecord; readonly apiKey: string };
type Headers = Record<string, string>;
const madeOf = ({ status, json }: Answer) => {
  expect({ status, json }).toMatchObject({ status: 201 });
  return json as Made; // described by the contract, which the kit has checked
};
const make = (tenantId: TenantId, form: object, headers: Headers = adminHeaders()) => service.call('POST', `/tenants/${tenantId}/keys`, { name: 'Shop', scopes: ['state:read'], ...form }, headers);
const rotate = (tenantId: TenantId, { key: { keyId } }: Made, headers: Headers = adminHeaders(), body: object = {}) => service.call('POST', `/tenants/${tenantId}/keys/${keyId}/rotate`, body, headers);
const as = (tenantId: TenantId, { key: { keyId } }: Made): Headers => keyHeaders('tenant-service', tenantId, ['keys:write', 'state:read'], keyId);
const refused = (field: string) => ({ status: 403, json: { code: 'auth.scope_missing', detail: expect.stringContaining(field) } });
const inHours = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();

describe('a key that makes keys', () => {
  it('hands on its own expiry and none that is later, new and by rotating', async () => {
    const expiresAt = inHours(2);
    const maker = madeOf(await make(acme, { expiresAt }));
    expect(madeOf(await make(acme, {}, as(acme, maker))).key.expiresAt).toBe(expiresAt);
    const sooner = inHours(1);
    expect(madeOf(await make(acme, { expiresAt: sooner }, as(acme, maker))).key.expiresAt).toBe(sooner);
    expect(await make(acme, { expiresAt: inHours(3) }, as(acme, maker))).toMatchObject(refused('expiresAt'));
    expect(await rotate(acme, madeOf(await make(acme, {})), as(acme, maker))).toMatchObject(refused('expiresAt'));
    expect(madeOf(await rotate(acme, maker, as(acme, maker))).key.expiresAt).toBe(expiresAt);
  });

  it.each([
    ['v4', ['10.0.0.0/8', '203.0.113.0/24'], ['10.7.0.0/16', '203.0.113.9/32'], ['10.0.0.0/7'], ['0.0.0.0/0']],
    ['v6', ['2001:db8::/32'], ['2001:db8:7::/48'], ['2001:db8::/31'], ['10.0.0.0/8']],
    ['v4 written as v6', ['10.0.0.0/8'], ['::ffff:10.1.0.0/112'], ['::ffff:0:0/96'], ['10.1.0.0/16', '::/0']],
  ])('hands on networks within its own and its own where none are given (%s)', async (_, own, within, ...beyond) => {
    const maker = madeOf(await make(acme, { cidrs: own }));
    expect(madeOf(await make(acme, {}, as(acme, maker))).key.cidrs).toEqual(own);
    expect(madeOf(await make(acme, { cidrs: within }, as(acme, maker))).key.cidrs).toEqual(within);
    for (const cidrs of beyond) expect(await make(acme, { cidrs }, as(acme, maker))).toMatchObject(refused('cidrs'));
    for (const cidrs of [[], ...beyond]) expect(await rotate(acme, madeOf(await make(acme, { cidrs })), as(acme, maker))).toMatchObject(refused('cidrs'));
  });

  it('hands on its own rate where none is given, and no higher one', async () => {
    const maker = madeOf(await make(acme, { rateLimit: 30 }));
    expect(madeOf(await make(acme, {}, as(acme, maker))).key.rateLimit).toBe(30);
    expect(madeOf(await make(acme, { rateLimit: 29 }, as(acme, maker))).key.rateLimit).toBe(29);
    expect(await make(acme, { rateLimit: 31 }, as(acme, maker))).toMatchObject(refused('rateLimit'));
    expect(await rotate(acme, madeOf(await make(acme, {})), as(acme, maker))).toMatchObject(refused('rateLimit'));
  });

  it('makes none any more once it was revoked, nor with the id of another tenant\'s key', async () => {
    const [maker, theirs] = [madeOf(await make(acme, {})), madeOf(await make(globex, {}))];
    await service.call('DELETE', `/tenants/${acme}/keys/${maker.key.keyId}`);
    for (const one of [maker, theirs]) expect(await make(acme, {}, as(acme, one))).toMatchObject({ status: 401, json: { code: 'auth.missing' } });
  });

  it('without bounds, people and the platform are not bounded', async () => {
    const free = { expiresAt: inHours(9), cidrs: ['0.0.0.0/0', '::/0'], rateLimit: 1_000_000 };
    const makers = [as(acme, madeOf(await make(acme, {}))), memberHeaders('tenant-service', acme, 'owner'), memberHeaders('tenant-service', acme, 'admin'), platformHeaders('tenant-service'), adminHeaders()];
    for (const maker of makers) expect(madeOf(await make(acme, free, maker)).key).toMatchObject(free);
  });
});

describe('an Idempotency-Key on making a key', () => {
  const named = (name: string, headers: Headers = adminHeaders()) => ({ ...headers, 'idempotency-key': name });
  const resolve = (apiKey: string) => service.call('POST', '/internal/api-keys/resolve', { apiKey }, internalTokenHeaders('tenant-service', undefined, 'api-gateway'));

  it('makes a repetition answer the same key, and none be made twice', async () => {
    const answers = (await Promise.all(Array.from({ length: 5 }, () => make(acme, { rateLimit: 7 }, named('make-1'))))).map(madeOf);
    expect(new Set(answers.map(({ apiKey }) => apiKey)).size).toBe(1);
    const [first] = answers;
    expect(await resolve(first!.apiKey)).toMatchObject({ status: 200, json: { keyId: first!.key.keyId, tenant: { tenantId: acme } } });
    expect(await secretsFoundIn(service.database.adminUrl, [first!.apiKey, first!.apiKey.slice(29), 'make-1'])).toEqual([]);
  });

  it('is refused for another request', async () => {
    madeOf(await make(acme, {}, named('make-2')));
    expect(await make(acme, { rateLimit: 8 }, named('make-2'))).toMatchObject({ status: 409, json: { code: 'request.idempotency_conflict' } });
  });

  it('is its tenant\'s and its caller\'s own', async () => {
    const owner = memberHeaders('tenant-service', acme, 'owner');
    const made = [await make(acme, {}, named('make-3')), await make(globex, {}, named('make-3')), await make(acme, {}, named('make-3', owner))].map(madeOf);
    expect(new Set(made.map(({ apiKey }) => apiKey)).size).toBe(3);
  });

  it('makes a repeated rotation answer the same', async () => {
    const old = madeOf(await make(acme, {}));
    const [first, again] = [madeOf(await rotate(acme, old, named('rotate-1'))), madeOf(await rotate(acme, old, named('rotate-1')))];
    expect(again).toEqual(first);
    expect(await rotate(acme, old, named('rotate-1'), { overlapHours: 1 })).toMatchObject({ status: 409, json: { code: 'request.idempotency_conflict' } });
  });
});

describe('active keys', () => {
  it('are no more than a tenant may have, also when several are made at once', async () => {
    const keys = async (tenantId: TenantId) => {
      let active = 0;
      for (let cursor: string | null = ''; cursor !== null; ) {
        const { json } = await service.call('GET', `/tenants/${tenantId}/keys?limit=200${cursor === '' ? '' : `&cursor=${cursor}`}`);
        const page = json as { data: ApiKeyRecord[]; nextCursor: string | null };
        active += page.data.filter(({ status }) => status === 'active').length;
        cursor = page.nextCursor;
      }
      return active;
    };
    const last = madeOf(await make(globex, { scopes: [...scopes] }));
    await insertKeys(service.database.adminUrl, globex, Array.from({ length: apiKeysMax - 2 - (await keys(globex)) }, () => newId('key')));
    const answers = await Promise.all(Array.from({ length: 6 }, () => make(globex, {})));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 201, 409, 409, 409, 409]);
    expect(answers.find(({ status }) => status === 409)).toMatchObject({ json: { code: 'api_key.too_many' } });
    expect(await keys(globex)).toBe(apiKeysMax);
    // One that takes another's place at once needs no room of its own.
    expect(await rotate(globex, last)).toMatchObject({ status: 409, json: { code: 'api_key.too_many' } });
    madeOf(await rotate(globex, last, adminHeaders(), { overlapHours: 0 }));
    expect(await keys(globex)).toBe(apiKeysMax);
    madeOf(await make(acme, {}));
  });
});
