import { hubError, type ServiceName } from '@switchboard/contracts';
import type { Kit } from '@switchboard/service-kit';
import { Pool } from 'undici';
import { chooseAddress, noteConnected, noteUnreachable, type AddressState } from './choose-address.ts';
import { closedBreaker, decideBreaker, openMs, type Breaker, type BreakerEvent } from './decide-breaker.ts';
import { hasNames, resolveAddresses, type Resolved } from './resolve-addresses.ts';

/** What became of a request: an answer began, nobody was there, no (whole) answer came, or the caller did not wait for it. */
export type Outcome = 'answered' | 'unreachable' | 'failed' | 'abandoned';

/** One request's place at one process of the service. */
export interface Lease {
  readonly pool: Pool;
  /** The Host header. */
  readonly host: string;
  /** Once, whatever became of it. */
  end(outcome: Outcome): void;
  /** Ends this one as unreachable and gives a place at another process; undefined when there is no other. Not to be ended then: this one still is. */
  another(): Lease | undefined;
}

/** A service as the gateway reaches it. */
export interface Upstream {
  /** Throws `service.unavailable` while the service is given a rest, or when its name leads nowhere. */
  lease(): Lease | Promise<Lease>;
  close(): Promise<void>;
}

export type UpstreamOptions = {
  readonly service: ServiceName;
  readonly urls: readonly string[];
  readonly timeoutMs: number;
  readonly log: Kit<unknown, unknown>['log'];
  /** Tells when the service is given a rest and when that ends. */
  readonly onBreaker?: (isOpen: boolean) => void;
  readonly resolve?: typeof resolveAddresses;
  /** Milliseconds, of any beginning. */
  readonly now?: () => number;
};

const connectTimeoutMs = 1_000;
/** Connections to one process: four tenants' full share of requests at the same time. */
const connectionsMax = 128;
/** Milliseconds after which a name is looked up again: processes come and go with a deployment, in seconds. */
const resolvedForMs = 5_000;

type Address = AddressState & { readonly key: string; readonly host: string; readonly pool: Pool };

export function createUpstream(options: UpstreamOptions): Upstream {
  const { service, urls, log, resolve = resolveAddresses, now = () => performance.now() } = options;
  const canChange = hasNames(urls);
  let addresses: readonly Address[] = [];
  let resolvedAtMs = Number.NEGATIVE_INFINITY;
  let resolving: Promise<void> | undefined;
  let breaker: Breaker = closedBreaker;
  let turn = 0;

  function tell(event: BreakerEvent): 'pass' | 'probe' | 'refuse' {
    const before = breaker.kind;
    const decision = decideBreaker(breaker, event, now());
    breaker = decision.breaker;
    if (before !== breaker.kind && before !== 'half-open' && breaker.kind === 'open') {
      log.warn({ upstream: service }, 'breaker open: the service mostly fails');
      options.onBreaker?.(true);
    } else if (before !== breaker.kind && breaker.kind === 'closed') {
      log.info({ upstream: service }, 'breaker closed: the service answers again');
      options.onBreaker?.(false);
    }
    return decision.answer;
  }

  async function refresh(): Promise<void> {
    try {
      const found = await resolve(urls);
      const kept = new Map(addresses.map((address) => [address.key, address]));
      addresses = found.map((resolved) => kept.get(keyOf(resolved)) ?? open(resolved, options));
      // What is under way there may end.
      for (const address of kept.values()) if (!addresses.includes(address)) void address.pool.close();
      resolvedAtMs = now();
    } catch (error) {
      // The addresses that were known go on being used; the next request looks again.
      log.warn({ upstream: service, err: error }, 'the name of a service cannot be looked up');
    }
  }

  const refreshing = () => (resolving ??= refresh().finally(() => (resolving = undefined)));

  function leaseAt(address: Address, isProbe: boolean): Lease {
    address.inFlight++;
    let hasEnded = false;
    return {
      pool: address.pool,
      host: address.host,
      end(outcome) {
        if (hasEnded) return;
        hasEnded = true;
        address.inFlight--;
        if (outcome === 'unreachable') noteUnreachable(address, now());
        else if (outcome === 'answered') noteConnected(address);
        tell({ kind: outcome === 'answered' ? 'succeeded' : outcome === 'abandoned' ? 'abandoned' : 'failed', isProbe });
      },
      another() {
        const other = chooseAddress(addresses, { nowMs: now(), turn: turn++, except: address });
        if (other === undefined || hasEnded) return undefined;
        hasEnded = true;
        address.inFlight--;
        noteUnreachable(address, now());
        return leaseAt(other, isProbe);
      },
    };
  }

  function take(): Lease {
    const asked = tell({ kind: 'ask' });
    if (asked === 'refuse') throw hubError('service.unavailable', { detail: { service, breaker: 'open' }, retry: { afterMs: openMs } });
    const address = chooseAddress(addresses, { nowMs: now(), turn: turn++ });
    if (address === undefined) {
      tell({ kind: 'failed', isProbe: asked === 'probe' });
      throw hubError('service.unavailable', { detail: { service, reason: 'no address' } });
    }
    return leaseAt(address, asked === 'probe');
  }

  return {
    lease() {
      if (addresses.length === 0) return refreshing().then(take);
      if (canChange && now() - resolvedAtMs > resolvedForMs) void refreshing();
      return take();
    },
    async close() {
      await resolving;
      await Promise.all(addresses.map(({ pool }) => pool.close()));
    },
  };
}

function keyOf({ origin, host }: Resolved): string {
  return `${origin} ${host}`;
}

function open(resolved: Resolved, { timeoutMs }: UpstreamOptions): Address {
  const pool = new Pool(resolved.origin, {
    connections: connectionsMax,
    pipelining: 1,
    connect: { timeout: connectTimeoutMs, ...(resolved.origin.startsWith('https:') ? { servername: resolved.servername } : {}) },
    keepAliveTimeout: 30_000,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  });
  return { key: keyOf(resolved), host: resolved.host, pool, inFlight: 0, failures: 0, ejectedUntilMs: 0 };
}
