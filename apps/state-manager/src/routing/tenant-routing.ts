import { createMemoryStore, createTenantCache, forgetTenant } from '@switchboard/cache';
import type { ConnectionId, TenantId, TenantRouting } from '@switchboard/contracts';
import { currentTenant } from '@switchboard/tenant-context';

/** Age at which a copy is asked for again: the bound on a change whose event was lost. */
const copyAgeMaxMs = 60_000;
/** Age from which a connection that the copy does not know is asked for: its making may be newer than the copy. */
const unknownAgeMinMs = 1_000;
/** For so long a copy serves while tenant-service is away: messages go on by the routes of before rather than wait. */
const staleAgeMaxMs = 600_000;
/** After it was away: not every message waits for its time-out. */
const askAgainMs = 5_000;
/** Tenants whose routing is kept; about 1 KB each. */
const copiesMax = 50_000;

const copyKey = 'copy';
type Copy = { readonly routing: TenantRouting; readonly loadedAt: number; askAgainAt: number };

export type RoutingParts = {
  /** Asks tenant-service for the current tenant's routing. */
  readonly load: () => Promise<TenantRouting>;
  readonly now: () => Date;
};

/**
 * Our own copy of each tenant's routes and connections, in memory: every message asks for it, and a trip to Redis for each would cost more than
 * the question that each process asks in a minute. Throws what `load` throws, when there is no copy that can serve.
 */
export type TenantRoutings = {
  /** Of the current tenant. When it must know `connectionId` and does not, it is asked for again. */
  current(connectionId?: ConnectionId): Promise<TenantRouting>;
  /** After a change of the current tenant: the next one asks again. */
  drop(): Promise<void>;
};

export function createTenantRoutings({ load, now }: RoutingParts): TenantRoutings {
  const store = createMemoryStore({ entriesMax: copiesMax, now: () => now().getTime() });
  // Memory gives back the very object, and only this file puts what stands here.
  const copies = createTenantCache<Copy>({ store, name: 'routing', parse: (value) => value as Copy });
  const loading = new Map<TenantId, Promise<TenantRouting>>();

  function refresh(tenantId: TenantId): Promise<TenantRouting> {
    const running = loading.get(tenantId);
    if (running !== undefined) return running;
    const started: Promise<TenantRouting> = load()
      .then((routing) => {
        // Dropped while it was on its way: what it brought may be older than the change.
        return loading.get(tenantId) === started ? keep(routing) : routing;
      })
      .finally(() => {
        if (loading.get(tenantId) === started) loading.delete(tenantId);
      });
    loading.set(tenantId, started);
    return started;
  }

  async function keep(routing: TenantRouting): Promise<TenantRouting> {
    const loadedAt = now().getTime();
    await copies.put(copyKey, { routing, loadedAt, askAgainAt: loadedAt + copyAgeMaxMs }, staleAgeMaxMs);
    return routing;
  }

  return {
    async current(connectionId) {
      const tenantId = currentTenant();
      const copy = await copies.get(copyKey);
      if (copy === undefined) return refresh(tenantId);
      const at = now().getTime();
      const knows = connectionId === undefined || copy.routing.connections.some((connection) => connection.connectionId === connectionId);
      if (knows ? at < copy.askAgainAt : at < copy.loadedAt + unknownAgeMinMs) return copy.routing;
      try {
        return await refresh(tenantId);
      } catch (error) {
        if (!knows) throw error;
        copy.askAgainAt = at + askAgainMs;
        return copy.routing;
      }
    },
    drop() {
      loading.delete(currentTenant());
      return forgetTenant(store);
    },
  };
}
