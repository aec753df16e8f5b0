import { hubError } from '@switchboard/contracts';
import type { Kit } from '@switchboard/service-kit';
import { rateLimit } from 'express-rate-limit';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Caller } from './identity.ts';
import { createLimitStore } from './limit-store.ts';

export interface RateLimit {
  /** Counts one request of the caller's tenant and sets the RateLimit headers. Throws `limit.rate_exceeded` above the tenant's limit. */
  count(request: IncomingMessage, response: ServerResponse, caller: Caller): Promise<void>;
  close(): Promise<void>;
}

const windowMs = 60_000;

type Counted = IncomingMessage & { caller?: Caller };

/**
 * Requests of a tenant, all its keys together, in a minute. The window begins with its first request. Counting in Redis when there is one,
 * else in this process; Redis away: each process counts for itself until it is back, and nobody waits for it.
 */
export function createRateLimit(options: { readonly redisUrl: string | undefined } & Pick<Kit<unknown, unknown>, 'log'>): RateLimit {
  const store = createLimitStore({ ...options, windowMs });
  const middleware = rateLimit({
    windowMs,
    store: store.store,
    // Should even the local count fail, the tenant is let through: a defect of ours is not its excess.
    passOnStoreError: true,
    limit: (request) => callerOf(request).rateLimit,
    keyGenerator: (request) => callerOf(request).tenantId,
    standardHeaders: 'draft-7',
    legacyHeaders: false,
    // Its checks are about Express and client addresses; the key here is the tenant.
    validate: false,
    handler: (request, response, next) => {
      const retryAfterSeconds = Number(response.getHeader('retry-after') ?? 1);
      next(
        hubError('limit.rate_exceeded', {
          publicMessage: `More than ${callerOf(request).rateLimit} requests in a minute. Wait ${retryAfterSeconds} seconds.`,
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
