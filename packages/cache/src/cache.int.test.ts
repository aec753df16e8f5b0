import { afterAll, describe, expect, it } from '@jest/globals';
import { newId, tenantIdSchema, type TenantId } from '@switchboard/contracts';
import { currentTenant, runAsTenant } from '@switchboard/tenant-context';
import { testRedis } from '@switchboard/testing';
import * as fc from 'fast-check';
import { createMemoryStore, createRedisStore, createSystemCache, createTenantCache, forgetTenant, systemScope, tenantScope, type Cache, type CacheStore } from './index.ts';

const parse = (value: unknown) => (typeof value === 'string' ? value : undefined);
const newTenant = () => tenantIdSchema.parse(newId('req'));
const redis = testRedis();

const stores: CacheStore[] = [];
afterAll(async () => {
  for (const store of stores) await store.close();
});

/** A busy machine is not a Redis that is away: what is shown here is what is kept. */
const drivers: [string, () => Promise<CacheStore>][] = [
  ['memory', async () => createMemoryStore({ entriesMax: 10_000 })],
  ...(redis === undefined ? [] : [['Redis', () => connected(createRedisStore({ url: redis.url, timeoutMs: 10_000 }))] satisfies [string, () => Promise<CacheStore>]]),
];

describe.each(drivers)('a cache in %s', (_, open) => {
  async function setup() {
    const store = await open();
    stores.push(store);
    const cache = createTenantCache({ store, name: 'test', parse });
    const [acme, globex] = [newTenant(), newTenant()];
    const as = <T>(tenantId: TenantId, work: (cache: Cache<string>) => Promise<T>) => runAsTenant(tenantId, () => work(cache));
    return { store, cache, acme, globex, as };
  }

  it('keeps a value for its time', async () => {
    const { as, acme } = await setup();
    await as(acme, (cache) => cache.put('key', 'value', 200));
    expect(await as(acme, (cache) => cache.get('key'))).toBe('value');
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(await as(acme, (cache) => cache.get('key'))).toBeUndefined();
  });

  it("has nothing of one tenant in another's work, whatever the key", async () => {
    const { as, acme, globex, store } = await setup();
    const hostile = ['key', '', ':', `tenant:${globex}:test:key`, `../${globex}`, `:${globex}:key`, '\n', '\0', '*', '{x}', 'ключ', '\ud800', 'x'.repeat(10_000), 'system:key', '__proto__', 'constructor'];
    for (const key of hostile) {
      await as(acme, (cache) => cache.put(key, `of acme: ${key.slice(0, 20)}`, 60_000));
      for (const asked of [key, `tenant:${acme}:test:${key}`, `test:${key}`, `:${acme}:${key}`, `../${acme}/${key}`]) expect(await as(globex, (cache) => cache.get(asked))).toBeUndefined();
      expect(await createSystemCache({ store, name: 'test', parse, reason: 'a test' }).get(key)).toBeUndefined();
      expect(await as(acme, (cache) => cache.get(key))).toBeDefined();
    }
  });

  it("has nothing of one tenant in another's work, for any keys and tenants", async () => {
    const { store } = await setup();
    const cache = createTenantCache({ store, name: 'test', parse });
    const tenant = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{1,20}$/).map((text) => tenantIdSchema.parse(text));
    await fc.assert(
      fc.asyncProperty(tenant, tenant, fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), async (a, b, key, asked) => {
        fc.pre(a !== b);
        await runAsTenant(b, () => forgetTenant(store));
        await runAsTenant(a, () => cache.put(key, 'secret of a', 60_000));
        expect(await runAsTenant(b, () => cache.get(asked))).toBeUndefined();
        expect(await runAsTenant(b, () => cache.get(key))).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });

  it('has one name for each key', async () => {
    const { as, acme } = await setup();
    const keys = ['a', 'a ', 'A', 'x'.repeat(200), 'x'.repeat(201), 'x'.repeat(202), '=a', '#a', '\ud800', '\ud801'];
    for (const key of keys) await as(acme, (cache) => cache.put(key, key, 60_000));
    for (const key of keys) expect(await as(acme, (cache) => cache.get(key))).toBe(key);
  });

  it('does nothing outside of a tenant', async () => {
    const { cache } = await setup();
    const missing = expect.objectContaining({ code: 'tenant.context_missing' });
    await expect(cache.get('key')).rejects.toEqual(missing);
    await expect(cache.put('key', 'value', 1_000)).rejects.toEqual(missing);
    await expect(cache.forget('key')).rejects.toEqual(missing);
    await expect(cache.remember('key', async () => ({ value: 'value', keptForMs: 1_000 }))).rejects.toEqual(missing);
  });

  it('forgets a key, and all of a tenant, and nothing of another', async () => {
    const { as, acme, globex, store } = await setup();
    for (const tenantId of [acme, globex]) for (const key of ['a', 'b']) await as(tenantId, (cache) => cache.put(key, key, 60_000));
    await as(acme, (cache) => cache.forget('a'));
    expect(await as(acme, (cache) => cache.get('a'))).toBeUndefined();
    await as(acme, (cache) => cache.put('b', 'b', 60_000));
    await as(acme, () => forgetTenant(store));
    expect(await as(acme, (cache) => cache.get('b'))).toBeUndefined();
    expect([await as(globex, (cache) => cache.get('a')), await as(globex, (cache) => cache.get('b'))]).toEqual(['a', 'b']);
    await as(acme, (cache) => cache.put('a', 'anew', 60_000));
    expect(await as(acme, (cache) => cache.get('a'))).toBe('anew');
  });

  it('loads once for many who ask at once, each tenant its own', async () => {
    const { as, acme, globex } = await setup();
    let loads = 0;
    const load = async () => {
      loads++;
      const value = `of ${currentTenant()}`;
      await new Promise((resolve) => setTimeout(resolve, 20));
      return { value, keptForMs: 60_000 };
    };
    const answers = await Promise.all([acme, globex].flatMap((tenantId) => Array.from({ length: 10 }, () => as(tenantId, (cache) => cache.remember('key', load)))));
    expect(answers).toEqual([...Array.from({ length: 10 }, () => `of ${acme}`), ...Array.from({ length: 10 }, () => `of ${globex}`)]);
    expect(loads).toBe(2);
    await as(acme, (cache) => cache.remember('key', load));
    expect(loads).toBe(2);
  });

  it('does not keep what was loaded before it was told to forget', async () => {
    const { as, acme, store } = await setup();
    for (const forget of [(cache: Cache<string>) => cache.forget('key'), () => forgetTenant(store)]) {
      let answerNow: () => void = () => undefined;
      const underWay = as(acme, (cache) => cache.remember('key', () => new Promise((resolve) => (answerNow = () => resolve({ value: 'old', keptForMs: 60_000 })))));
      await new Promise((resolve) => setTimeout(resolve, 30));
      await as(acme, forget);
      answerNow();
      expect(await underWay).toBe('old');
      expect(await as(acme, (cache) => cache.get('key'))).toBeUndefined();
    }
  });

  it('keeps no failure', async () => {
    const { as, acme } = await setup();
    await expect(as(acme, (cache) => cache.remember('key', async () => Promise.reject(new Error('away'))))).rejects.toThrow('away');
    expect(await as(acme, (cache) => cache.remember('key', async () => ({ value: 'there', keptForMs: 1_000 })))).toBe('there');
  });

  it('finds nothing of a form it does not know', async () => {
    const { as, acme, store } = await setup();
    await store.put({ scope: tenantScope(acme), key: 'test:key', value: { other: 'version' }, keptForMs: 60_000, mark: await store.mark(tenantScope(acme)) });
    expect(await as(acme, (cache) => cache.get('key'))).toBeUndefined();
  });

  it('keeps what must be known before the tenant is apart from all tenants', async () => {
    const { as, acme, store } = await setup();
    const key = newId('req');
    const system = createSystemCache({ store, name: 'test', parse, reason: 'a test' });
    await system.put(key, acme, 60_000);
    expect(await system.get(key)).toBe(acme);
    expect(await as(acme, (cache) => cache.get(key))).toBeUndefined();
    await store.forgetAll(systemScope);
    expect(await system.get(key)).toBeUndefined();
  });
});

describe('a Redis that is away', () => {
  it('changes how long an answer takes, and not the answer', async () => {
    const failures: string[] = [];
    const store = createRedisStore({ url: 'redis://:password@127.0.0.1:1', onFailure: (code) => failures.push(code) });
    stores.push(store);
    const cache = createTenantCache({ store, name: 'test', parse });
    const startedMs = performance.now();
    for (const tenantId of [newTenant(), newTenant()]) {
      await runAsTenant(tenantId, async () => {
        for (let i = 0; i < 20; i++) expect(await cache.remember('key', async () => ({ value: `of ${tenantId}`, keptForMs: 60_000 }))).toBe(`of ${tenantId}`);
        await cache.forget('key');
        await forgetTenant(store);
      });
    }
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    expect(failures.join()).not.toContain('password');
  });
});

describe('memory', () => {
  it('keeps no more than its bound, and the newest', () => {
    const store = createMemoryStore({ entriesMax: 100 });
    for (let i = 0; i < 1_000; i++) store.put({ scope: tenantScope(tenantIdSchema.parse(`tenant-${i % 7}`)), key: String(i), value: i, keptForMs: 60_000, mark: store.mark() });
    expect(store.size).toBe(100);
    expect(store.get(tenantScope(tenantIdSchema.parse(`tenant-${999 % 7}`)), '999')).toBe(999);
    expect(store.get(tenantScope(tenantIdSchema.parse(`tenant-${0}`)), '0')).toBeUndefined();
  });
});

/** Until it is connected it has nothing, as it should; here it must have what was put. */
async function connected(store: CacheStore): Promise<CacheStore> {
  for (let attempt = 0; attempt < 500; attempt++) {
    if ((await store.mark(systemScope)) !== '') return store;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('the store never reached its Redis');
}
