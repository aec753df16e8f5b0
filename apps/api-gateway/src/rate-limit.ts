import { hubError } from '@switchboard/contracts';
import { networkOf } from '@switchboard/service-kit';
import { rateLimit } from 'express-rate-limit';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { burstOf } from './domain/decide-limit.ts';
import type { Caller } from './identity.ts';
import { addressLimitKey, createLimitStore, limitKey, type LimitStoreOptions } from './limit-store.ts';

export interface RateLimit {
  /** Counts one request of the caller's tenant and sets the RateLimit headers. Throws `limit.rate_exceeded` above the tenant's limit. */
  count(request: IncomingMessage, response: ServerResponse, caller: Caller): Promise<void>;
  /** Counts one request of an address that shows no credentials, and of no tenant. Headers and error as above. */
  countAddress(request: IncomingMessage, response: ServerResponse, address: string): Promise<void>;
  close(): Promise<void>;
}

/** Where a request is counted, and requests a minute there. */
type Counting = { readonly key: string; readonly perMinute: number };
type Counted = IncomingMessage & { counting?: Counting };

type RateLimitOptions = LimitStoreOptions & { /** Of one address, at routes that ask for no credentials. */ readonly publicPerMinute: number };

/**
 * Requests of a tenant, all its callers together, and those of a key that has a limit of its own: a request is accepted when both have room.
 * The headers say what is left of the narrower one (RateLimit and RateLimit-Policy of draft-ietf-httpapi-ratelimit-headers-07). Counted in Redis when
 * there is one, else in this process; Redis away: each process counts for itself until it is back, and nobody waits for it.
 */
export function createRateLimit({ publicPerMinute, ...options }: RateLimitOptions): RateLimit {
  const { burstSeconds } = options;
  const store = createLimitStore(options);
  const middleware = rateLimit({
    windowMs: burstSeconds * 1_000,
    store: store.store,
    // Should even the local count fail, the tenant is let through: a defect of ours is not its excess.
    passOnStoreError: true,
    limit: (request) => burstOf(countingOf(request).perMinute, burstSeconds),
    keyGenerator: (request) => countingOf(request).key,
    standardHeaders: 'draft-7',
    legacyHeaders: false,
    // Its checks are about Express and client addresses; the key here is the tenant, or an address that was found with more care.
    validate: false,
    handler: (request, response, next) => {
      const retryAfterSeconds = Math.max(1, Number(response.getHeader('retry-after') ?? 1));
      next(
        hubError('limit.rate_exceeded', {
          publicMessage: `More than ${countingOf(request).perMinute} requests a minute. Wait ${retryAfterSeconds} seconds.`,
          retry: { afterMs: retryAfterSeconds * 1000 },
        }),
      );
    },
  });
  const count = (request: IncomingMessage, response: ServerResponse, counting: Counting): Promise<void> => {
    (request as Counted).counting = counting;
    return new Promise((resolve, reject) => {
      // The middleware uses nothing of Express but what node's own objects have (checked against version 8.7).
      void middleware(request as never, response as never, (error?: unknown) => (error === undefined ? resolve() : reject(error as Error)));
    });
  };
  return {
    count: (request, response, caller) => count(request, response, { key: limitKey(caller), perMinute: rateOfCaller(caller) }),
    countAddress: (request, response, address) => count(request, response, { key: addressLimitKey(networkOf(address), publicPerMinute), perMinute: publicPerMinute }),
    close: store.close,
  };
}

/** What is counted of somebody who shows nothing but a tenant's host, from one network: half of what the tenant has, so that one of them alone cannot use it up. */
export function doorCaller(caller: Caller, address: string): Caller {
  return { ...caller, subject: `${caller.subject}:${networkOf(address)}`, keyRateLimit: Math.ceil(caller.rateLimit / 2) };
}

function countingOf(request: object): Counting {
  const { counting } = request as Counted;
  if (counting === undefined) throw new Error('a request is counted before it is known where');
  return counting;
}

/** Requests a minute. */
function rateOfCaller({ rateLimit, keyRateLimit }: Caller): number {
  return keyRateLimit === null ? rateLimit : Math.min(rateLimit, keyRateLimit);
}
