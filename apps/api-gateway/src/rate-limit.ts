import { hubError } from '@switchboard/contracts';
import { rateLimit } from 'express-rate-limit';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { burstOf } from './domain/decide-limit.ts';
import type { Caller } from './identity.ts';
import { createLimitStore, limitKey, type LimitStoreOptions } from './limit-store.ts';

export interface RateLimit {
  /** Counts one request of the caller's tenant and sets the RateLimit headers. Throws `limit.rate_exceeded` above the tenant's limit. */
  count(request: IncomingMessage, response: ServerResponse, caller: Caller): Promise<void>;
  close(): Promise<void>;
}

type Counted = IncomingMessage & { caller?: Caller };

/**
 * Requests of a tenant, all its callers together, and those of a key that has a limit of its own: a request is accepted when both have room.
 * The headers say what is left of the narrower one (RateLimit and RateLimit-Policy of draft-ietf-httpapi-ratelimit-headers-07). Counted in Redis when
 * there is one, else in this process; Redis away: each process counts for itself until it is back, and nobody waits for it.
 */
export function createRateLimit(options: LimitStoreOptions): RateLimit {
  const { burstSeconds } = options;
  const store = createLimitStore(options);
  const middleware = rateLimit({
    windowMs: burstSeconds * 1_000,
    store: store.store,
    // Should even the local count fail, the tenant is let through: a defect of ours is not its excess.
    passOnStoreError: true,
    limit: (request) => burstOf(rateOfCaller(callerOf(request)), burstSeconds),
    keyGenerator: (request) => limitKey(callerOf(request)),
    standardHeaders: 'draft-7',
    legacyHeaders: false,
    // Its checks are about Express and client addresses; the key here is the tenant.
    validate: false,
    handler: (request, response, next) => {
      const retryAfterSeconds = Math.max(1, Number(response.getHeader('retry-after') ?? 1));
      next(
        hubError('limit.rate_exceeded', {
          publicMessage: `More than ${rateOfCaller(callerOf(request))} requests a minute. Wait ${retryAfterSeconds} seconds.`,
          retry: { afterMs: retryAfterSeconds * 1000 },
        }),
      );
    },
  });
  return {
    count: (request, response, caller) => {
      (request as Counted).caller = caller;
      return new Promise((resolve, reject) => {
        // The middleware uses nothing of Express but what node's own objects have (checked against version 8.7).
        void middleware(request as never, response as never, (error?: unknown) => (error === undefined ? resolve() : reject(error as Error)));
      });
    },
    close: store.close,
  };
}

function callerOf(request: object): Caller {
  const { caller } = request as Counted;
  if (caller === undefined) throw new Error('a request is counted before its caller is known');
  return caller;
}

/** Requests a minute. */
function rateOfCaller({ rateLimit, keyRateLimit }: Caller): number {
  return keyRateLimit === null ? rateLimit : Math.min(rateLimit, keyRateLimit);
}
