import { systemScope, tenantScope, type Maybe, type MemoryStore } from '@switchboard/cache';
import { resolveTenant, type TenantFacts, type TenantId } from '@switchboard/contracts';
import type { CallRoute } from '@switchboard/service-kit';
import { runAsSystem } from '@switchboard/tenant-context';
import { knownForMs, seenForMs } from './credential-cache.ts';
import { createTurns } from './turns.ts';

export type KnownTenant = { readonly facts: TenantFacts; /** Milliseconds since 1970: when the facts were asked for, and how long they may be believed. */ readonly until: number };

export interface TenantLookup {
  byId(tenantId: TenantId): Maybe<KnownTenant | undefined>;
  /** By the label before the base domain. */
  bySubdomain(subdomain: string): Maybe<KnownTenant | undefined>;
  forgetAsked(): void;
}

/** Milliseconds that a subdomain of nobody is remembered. */
const unknownForMs = 1_000;
const factsKey = 'facts';
/** Questions about names that were nobody's lately: anybody can make up a host. */
const strangersTurns = { atOnceMax: 16, waitingMax: 256 } as const;

type TenantLookupOptions = {
  readonly store: MemoryStore;
  /** Of its own: a flood of made-up names must not push out those that are somebody's. */
  readonly unknown: MemoryStore;
  /** Names that were somebody's lately. */
  readonly seen: MemoryStore;
  readonly callRoute: CallRoute;
  readonly now: () => number;
};

/** Facts of tenants, looked up at tenant-service. */
export function createTenantLookup({ store, unknown, seen, callRoute, now }: TenantLookupOptions): TenantLookup {
  const asked = new Map<string, Promise<KnownTenant | undefined>>();
  const strangers = createTurns(strangersTurns);

  // Only this file puts what stands behind these keys.
  const recall = (tenantId: TenantId) => store.get(tenantScope(tenantId), factsKey) as KnownTenant | undefined;
  const subdomainKey = (subdomain: string) => `subdomain:${subdomain}`;

  function ask(key: string, body: { readonly tenantId: TenantId } | { readonly subdomain: string }): Promise<KnownTenant | undefined> {
    let answer = asked.get(key);
    if (answer === undefined) {
      const mine = ('tenantId' in body || seen.get(systemScope, key) !== undefined ? load(key, body) : strangers.take(() => load(key, body))).finally(() => {
        if (asked.get(key) === mine) asked.delete(key);
      });
      asked.set(key, (answer = mine));
    }
    return answer;
  }

  async function load(key: string, body: { readonly tenantId: TenantId } | { readonly subdomain: string }): Promise<KnownTenant | undefined> {
    const mark = store.mark();
    const until = now() + knownForMs;
    const { tenant } = await runAsSystem('find a tenant by its name', () => callRoute('tenant-service', resolveTenant, { body }));
    if (tenant === null) {
      unknown.put({ scope: systemScope, key, value: true, keptForMs: unknownForMs, mark: unknown.mark() });
      return undefined;
    }
    const known = { facts: tenant, until };
    const keptForMs = until - now();
    store.put({ scope: tenantScope(tenant.tenantId), key: factsKey, value: known, keptForMs, mark });
    if ('subdomain' in body) {
      store.put({ scope: systemScope, key, value: tenant.tenantId, keptForMs, mark });
      seen.put({ scope: systemScope, key, value: true, keptForMs: seenForMs, mark: seen.mark() });
    }
    return known;
  }

  return {
    byId: (tenantId) => recall(tenantId) ?? ask(`tenant:${tenantId}`, { tenantId }),
    bySubdomain(subdomain) {
      const key = subdomainKey(subdomain);
      const tenantId = store.get(systemScope, key) as TenantId | undefined;
      const known = tenantId === undefined ? undefined : recall(tenantId);
      // A tenant that has moved to another name is asked for anew.
      if (known?.facts.subdomain === subdomain) return known;
      if (unknown.get(systemScope, key) !== undefined) return undefined;
      return ask(key, { subdomain });
    },
    forgetAsked: () => asked.clear(),
  };
}
