import { afterAll, describe, expect, it } from '@jest/globals';
import { openCacheStore, type CacheStore } from '@switchboard/cache';
import { newId, tenantIdSchema, type Plan, type TenantId } from '@switchboard/contracts';
import type { CallRoute } from '@switchboard/service-kit';
import { testRedis } from '@switchboard/testing';
import { factsOf } from '../testing/fake-tenant-service.ts';
import { createTenants } from './create-tenants.ts';

const redis = testRedis();
const stores: CacheStore[] = [];
afterAll(async () => {
  for (const store of stores) await store.close();
});

/** Two processes of the service, before one tenant-service. */
function setUp(redisUrl: string | undefined) {
  const plans = new Map<TenantId, Plan>();
  const state = { asked: 0 };
  const callRoute = (async (_service: string, _contract: unknown, { body }: { body: { tenantId: TenantId } }) => {
    state.asked++;
    return { tenant: factsOf(body.tenantId, plans.get(body.tenantId)) };
  }) as unknown as CallRoute; // one contract is all that is asked here
  const [here, there] = [0, 1].map(() => {
    const store = openCacheStore({ redisUrl, entriesMax: 100 });
    stores.push(store);
    return createTenants({ callRoute, store });
  });
  // New ones in each run: the Redis of the tests may remember.
  const [acme, globex] = [newId('req'), newId('req')].map((id) => tenantIdSchema.parse(id));
  return { state, plans, here: here!, there: there!, acme: acme!, globex: globex! };
}

(redis === undefined ? describe.skip : describe)('plans of tenants in Redis', () => {
  it('are asked for once by all processes, each tenant\'s own, and again when the tenant changed', async () => {
    const { state, plans, here, there, acme, globex } = setUp(redis?.url);
    plans.set(acme, 'starter').set(globex, 'enterprise');
    // Until both are connected, and one finds what the other put.
    for (let before = -1; before !== state.asked; ) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      before = state.asked;
      for (const tenants of [here, there]) expect([await tenants.planOf(acme), await tenants.planOf(globex)]).toEqual(['starter', 'enterprise']);
    }
    plans.set(acme, 'professional');
    await here.drop(acme);
    expect([await there.planOf(acme), await here.planOf(acme), await here.planOf(globex)]).toEqual(['professional', 'professional', 'enterprise']);
  });
});

describe('a Redis that is away', () => {
  it('costs a question for each plan, and no answer', async () => {
    const { state, plans, here, acme, globex } = setUp('redis://127.0.0.1:1');
    plans.set(acme, 'starter');
    for (let i = 0; i < 3; i++) expect(await here.planOf(acme)).toBe('starter');
    await expect(here.planOf(globex)).rejects.toMatchObject({ code: 'tenant.not_found' });
    await here.drop(acme);
    expect(state.asked).toBe(4);
  });
});
