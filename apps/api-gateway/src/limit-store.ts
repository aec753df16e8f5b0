import type { Kit } from '@switchboard/service-kit';
import type { ClientRateLimitInfo, Store } from 'express-rate-limit';
import { Counter } from 'prom-client';
import { burstOf, rateOf, type Rate } from './domain/decide-limit.ts';
import type { Caller } from './identity.ts';
import { createLocalLimit } from './local-limit.ts';
import { createRedisLimit, type Counted } from './redis-limit.ts';

/** One of the limits of a request, and what is counted there. */
export type CountedBucket = { readonly id: string; readonly rate: Rate };

/** Milliseconds that one count may take before this process counts by itself. */
const redisTimeoutDefaultMs = 50;
/** Milliseconds for which Redis is not asked after it failed: a dead one must cost a request in a second, not all. */
const redisRestMs = 1_000;

export type LimitStore = { readonly store: Store; readonly close: () => Promise<void> };
export type LimitStoreOptions = Pick<Kit<unknown, unknown>, 'log' | 'registry'> & {
  readonly redisUrl: string | undefined;
  readonly burstSeconds: number;
  readonly redisTimeoutMs?: number;
  /** Milliseconds; Redis' own clock, or that of this process, when absent. */
  readonly now?: () => number;
};

/**
 * express-rate-limit's store: its `increment` counts one request against the limits that `limitKey` wrote into its key. In Redis where there is
 * one, in this process where there is none or while it does not answer.
 */
export function createLimitStore({ redisUrl, burstSeconds, log, registry, now, redisTimeoutMs = redisTimeoutDefaultMs }: LimitStoreOptions): LimitStore {
  const countLocally = createLocalLimit();
  const local = (buckets: readonly CountedBucket[]): Counted => countLocally(buckets, now?.() ?? Date.now());
  const shared = redisUrl === undefined ? undefined : createShared({ redisUrl, redisTimeoutMs, log, registry, now });
  return {
    store: {
      localKeys: false,
      async increment(key) {
        const limits = readLimitKey(key);
        const buckets = limits.map(({ id, perMinute }) => ({ id, rate: rateOf(perMinute, burstSeconds) }));
        const counted = (await shared?.count(buckets)) ?? local(buckets);
        return infoOf(counted, Math.min(...limits.map(({ perMinute }) => burstOf(perMinute, burstSeconds))));
      },
      // The middleware is told to take nothing back: a bucket has nobody's requests to give back.
      decrement: () => undefined,
      resetKey: () => undefined,
    },
    close: async () => shared?.close(),
  };
}

type Limit = { readonly id: string; readonly perMinute: number };

/** The limits of a caller as express-rate-limit passes them to its store: as one text. */
export function limitKey({ tenantId, subject, rateLimit, keyRateLimit }: Pick<Caller, 'tenantId' | 'subject' | 'rateLimit' | 'keyRateLimit'>): string {
  // In braces what Redis Cluster places by: all limits of a tenant lie on one node, where one script reaches them.
  const ofTenant = `{${tenantId}} ${rateLimit}`;
  return keyRateLimit === null ? ofTenant : `${ofTenant} {${tenantId}}:${subject} ${keyRateLimit}`;
}

/** The limit of a network (an address, or the /64 of one) that belongs to no tenant. */
export function addressLimitKey(network: string, perMinute: number): string {
  // No tenant's id has a blank or a colon: neither can be the other's bucket.
  return `{address:${network.replaceAll(' ', '')}} ${perMinute}`;
}

function readLimitKey(key: string): Limit[] {
  const [id = '', perMinute, ownId, ownPerMinute] = key.split(' ');
  const ofTenant = { id, perMinute: Number(perMinute) };
  return ownId === undefined ? [ofTenant] : [ofTenant, { id: ownId, perMinute: Number(ownPerMinute) }];
}

/** In the words of express-rate-limit, which compares hits with a limit. */
function infoOf({ isAccepted, remaining, resetMs }: Counted, limit: number): ClientRateLimitInfo {
  return { totalHits: isAccepted ? Math.max(1, limit - remaining) : limit + 1, resetTime: new Date(Date.now() + resetMs) };
}

type SharedOptions = Pick<LimitStoreOptions, 'log' | 'registry' | 'now'> & { readonly redisUrl: string; readonly redisTimeoutMs: number };

/** Counts in Redis; answers undefined while that fails or is slow. */
function createShared({ redisUrl, redisTimeoutMs, log, registry, now }: SharedOptions): { count(buckets: readonly CountedBucket[]): Promise<Counted | undefined>; close(): void } {
  const uncounted = new Counter({ name: 'switchboard_gateway_limit_local_total', help: 'Requests that this gateway counted by itself because Redis did not answer.', registers: [registry] });
  // Its own messages may quote the URL, which holds a password: the code says enough.
  const redis = createRedisLimit({ url: redisUrl, onError: (error) => log.warn({ code: error.code ?? error.name }, 'Redis is not available') });
  let restsUntil = 0;
  let isAway = false;

  return {
    async count(buckets) {
      if (!redis.isReady() || performance.now() < restsUntil) {
        if (!isAway) log.warn('Redis is not there: this gateway counts by itself');
        isAway = true;
        uncounted.inc();
        return undefined;
      }
      let timer: NodeJS.Timeout | undefined;
      const tooLate = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error('Redis is slow')), redisTimeoutMs);
      });
      try {
        const counted = await Promise.race([redis.count(buckets, now?.()), tooLate]);
        if (isAway) log.info('Redis counts again');
        isAway = false;
        return counted;
      } catch {
        restsUntil = performance.now() + redisRestMs;
        if (!isAway) log.warn('Redis did not count: this gateway counts by itself');
        isAway = true;
        uncounted.inc();
        return undefined;
      } finally {
        clearTimeout(timer);
      }
    },
    close: () => redis.close(),
  };
}
