import { currentTenant } from '@switchboard/tenant-context';
import { systemScope, tenantScope, type CacheScope, type CacheStore, type Mark } from './port.ts';

/** Values of one kind. Of a tenant's cache: always those of the tenant whose work this is. */
export interface Cache<Value> {
  get(key: string): Promise<Value | undefined>;
  /** The kept value, or the loaded one, which is kept for as long as `load` says. What is under way for a key is not loaded twice. */
  remember(key: string, load: () => Promise<{ readonly value: Value; readonly keptForMs: number }>): Promise<Value>;
  put(key: string, value: Value, keptForMs: number): Promise<void>;
  forget(key: string): Promise<void>;
}

export type CacheOptions<Value> = {
  readonly store: CacheStore;
  /** Of the values, for their keys: letters, digits and hyphens. */
  readonly name: string;
  /** What is found is of this form or is not there: another version of the service may have put it. */
  readonly parse: (value: unknown) => Value | undefined;
};

/** Values of tenants. Throws `tenant.context_missing` outside of a tenant's work. */
export function createTenantCache<Value>(options: CacheOptions<Value>): Cache<Value> {
  return createCache(options, () => tenantScope(currentTenant()));
}

/** The few values from which a tenant is found. `reason` says why they cannot stand behind their tenant. */
export function createSystemCache<Value>(options: CacheOptions<Value> & { readonly reason: string }): Cache<Value> {
  return createCache(options, () => systemScope);
}

/** Everything that is kept of this work's tenant, of whatever kind. */
export async function forgetTenant(store: CacheStore): Promise<void> {
  await store.forgetAll(tenantScope(currentTenant()));
}

function createCache<Value>({ store, name, parse }: CacheOptions<Value>, scopeNow: () => CacheScope): Cache<Value> {
  if (!/^[a-zA-Z0-9-]+$/.test(name)) throw new TypeError('a cache is named by letters, digits and hyphens');
  const underWay = new Map<string, { readonly mark: Mark; readonly answer: Promise<Value> }>();
  const keyOf = (key: string) => `${name}:${key}`;

  async function get(key: string): Promise<Value | undefined> {
    const found = await store.get(scopeNow(), keyOf(key));
    return found === undefined ? undefined : parse(found);
  }

  type Place = { readonly scope: CacheScope; readonly key: string; readonly mark: Mark };
  async function load({ scope, key, mark }: Place, source: () => Promise<{ readonly value: Value; readonly keptForMs: number }>): Promise<Value> {
    const { value, keptForMs } = await source();
    await store.put({ scope, key: keyOf(key), value, keptForMs, mark });
    return value;
  }

  return {
    get,
    async remember(key, source) {
      const scope = scopeNow();
      const kept = await get(key);
      if (kept !== undefined) return kept;
      const place = scope + key;
      const mark = await store.mark(scope);
      const known = underWay.get(place);
      // Who asks after something was forgotten must not be given what was asked for before.
      if (known?.mark === mark) return await known.answer;
      const answer = load({ scope, key, mark }, source).finally(() => {
        if (underWay.get(place)?.answer === answer) underWay.delete(place);
      });
      underWay.set(place, { mark, answer });
      return await answer;
    },
    async put(key, value, keptForMs) {
      const scope = scopeNow();
      await store.put({ scope, key: keyOf(key), value, keptForMs, mark: await store.mark(scope) });
    },
    async forget(key) {
      const scope = scopeNow();
      // Also while the store does not answer, and has one mark for all times.
      underWay.delete(scope + key);
      await store.forget(scope, keyOf(key));
    },
  };
}
