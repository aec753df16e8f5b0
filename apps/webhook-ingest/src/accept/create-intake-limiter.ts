import type { ConnectionId, TenantId } from '@switchboard/contracts';
import { createBoundedCache } from '../connections/bounded-cache.ts';

type Sender = {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  /** The account that it is counted by with the tenant's other connections in it (a subaccount); undefined: by itself. */
  readonly account?: string | undefined;
};

export interface IntakeLimiter {
  /**
   * Counts one request for each of these connections (of one request, each once) and its tenant. Returns the milliseconds to wait for those that are over
   * the limit; they are not counted.
   */
  take(connections: readonly Sender[]): ReadonlyMap<ConnectionId, number>;
}

const minuteMs = 60_000;

/** Connections and tenants whose requests are remembered: about 100 bytes each. Who is forgotten has sent nothing for longer than all the others. */
const rememberedMax = 100_000;

/**
 * Requests a minute of each connection (of each account, where several connections have one) and of each tenant, in this process: two processes let twice as much through. It protects the others from an
 * account in a loop; it does not throttle, since Chatwoot and Botpress never send again what was refused. A whole minute's allowance may come at once.
 */
export function createIntakeLimiter(options: { readonly perConnection: number; readonly perTenant: number; /** Milliseconds. */ readonly now: () => number }): IntakeLimiter {
  const { now } = options;
  const connections = createAllowances(options.perConnection, now);
  const tenants = createAllowances(options.perTenant, now);
  return {
    take: (senders) => {
      const waits = new Map<ConnectionId, number>();
      // One tenant's connections beside each other count once each at the tenant too: they are as much work.
      for (const { tenantId, connectionId, account } of senders) {
        // With the tenant in it: whatever an account's name says, nobody counts at another tenant's.
        const key = account === undefined ? connectionId : `${tenantId}|${account}`;
        const waitMs = Math.max(connections.waitOf(key), tenants.waitOf(tenantId));
        if (waitMs > 0) {
          waits.set(connectionId, waitMs);
          continue;
        }
        connections.count(key);
        tenants.count(tenantId);
      }
      return waits;
    },
  };
}

/** For each key, until when its allowance is used up if nothing more comes; more than a minute ahead is over the limit. */
function createAllowances(perMinute: number, now: () => number) {
  const eachMs = minuteMs / perMinute;
  const usedUntil = createBoundedCache<string, number>(rememberedMax, now);
  return {
    waitOf: (key: string): number => Math.max(0, (usedUntil.find(key) ?? 0) + eachMs - now() - minuteMs),
    count: (key: string): void => {
      const until = Math.max(usedUntil.find(key) ?? 0, now()) + eachMs;
      usedUntil.put(key, until, until - now());
    },
  };
}
