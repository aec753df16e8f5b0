import { createMemoryStore, createSystemCache, systemScope, type CacheStore } from '@switchboard/cache';
import { findCorsOrigin, type TenantFacts } from '@switchboard/contracts';
import type { Kit } from '@switchboard/service-kit';
import { runAsSystem } from '@switchboard/tenant-context';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { seenForMs } from './credential-cache.ts';
import { createTurns } from './turns.ts';

/** Which web pages may call the API from a browser: those of the tenant, by exact origin. */
export interface Cors {
  /** Answers a browser that asks before it sends. `tenant`: whose door it came to; without one any active tenant's page may ask. Rejects with `service.unavailable`. */
  answerPreflight(request: IncomingMessage, response: ServerResponse, about: { readonly allow: readonly string[]; readonly tenant: TenantFacts | undefined }): Promise<void>;
  /** Lets the page read the answer when the caller's own tenant lists it. */
  letRead(request: IncomingMessage, response: ServerResponse, tenant: TenantFacts | undefined): void;
  /** Some tenant changed its list. */
  forget(): void;
}

const requestHeaders = 'authorization, content-type, idempotency-key, if-match, if-none-match, traceparent, tracestate, x-api-key';
const answerHeaders = 'location, ratelimit, ratelimit-policy, retry-after, x-request-id';
/** Seconds a browser need not ask again; a removed origin gets no answers to read meanwhile, whatever its browser remembers. */
const preflightAgeMaxSeconds = 600;
/** Milliseconds an allowed origin is remembered when no event says otherwise. */
const allowedForMs = 30_000;
/** Milliseconds an origin that nobody lists is remembered: should the event be lost that says otherwise, its page works after that. */
const refusedForMs = 5_000;
/** Origins that are remembered of each sort; about 200 bytes each. */
const rememberedMax = 1_000;
/** Questions about origins that nobody listed lately: anybody can make some up, and each costs tenant-service a look-up. */
const strangersTurns = { atOnceMax: 16, waitingMax: 256 } as const;

/** As browsers send it: scheme and host, never `null` (which sandboxed frames of anybody send). */
const originPattern = /^https?:\/\/[^/\s,*]{1,260}$/;

export function createCors({ callRoute, now }: Pick<Kit<unknown, unknown>, 'callRoute' | 'now'>): Cors {
  // Each sort in a store of its own: a flood of made-up origins must push out none that is somebody's.
  const openStore = () => createMemoryStore({ entriesMax: rememberedMax, now: () => now().getTime() });
  const stores = { allowed: openStore(), refused: openStore(), seen: openStore() };
  const openCache = (store: CacheStore) =>
    createSystemCache({ store, name: 'cors-origins', parse: (value) => (typeof value === 'boolean' ? value : undefined), reason: 'which tenant allows an origin is what is asked' });
  const [allowed, refused, seen] = [openCache(stores.allowed), openCache(stores.refused), openCache(stores.seen)];
  const strangers = createTurns(strangersTurns);

  const ask = async (origin: string): Promise<boolean> =>
    (await runAsSystem('find whether any tenant allows an origin', () => callRoute('tenant-service', findCorsOrigin, { body: { origin } }))).isAllowed;

  // What is not to be kept by one of the two is kept for no time there.
  const isAllowedSomewhere = (origin: string): Promise<boolean> =>
    allowed.remember(origin, async () => {
      const wasAllowed = (await seen.get(origin)) === true;
      const isAllowed = await refused.remember(origin, async () => {
        const answer = await (wasAllowed ? ask(origin) : strangers.take(() => ask(origin)));
        return { value: answer, keptForMs: answer ? 0 : refusedForMs };
      });
      if (isAllowed) await seen.put(origin, true, seenForMs);
      return { value: isAllowed, keptForMs: isAllowed ? allowedForMs : 0 };
    });

  return {
    async answerPreflight({ headers }, response, { allow, tenant }) {
      response.setHeader('allow', allow.join(', '));
      response.setHeader('vary', 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers');
      const { origin } = headers;
      const isAllowed = origin !== undefined && originPattern.test(origin) && (tenant === undefined ? await isAllowedSomewhere(origin) : tenant.corsOrigins.includes(origin));
      if (isAllowed) {
        response.setHeader('access-control-allow-origin', origin);
        response.setHeader('access-control-allow-methods', allow.join(', '));
        response.setHeader('access-control-allow-headers', requestHeaders);
        response.setHeader('access-control-max-age', preflightAgeMaxSeconds);
      }
      response.writeHead(204, { 'content-length': '0' }).end();
    },
    letRead({ headers }, response, tenant) {
      const { origin } = headers;
      if (origin === undefined || tenant === undefined || !originPattern.test(origin) || !tenant.corsOrigins.includes(origin)) return;
      response.setHeader('access-control-allow-origin', origin);
      response.setHeader('access-control-expose-headers', answerHeaders);
    },
    forget() {
      for (const store of [stores.allowed, stores.refused]) store.forgetAll(systemScope);
    },
  };
}
