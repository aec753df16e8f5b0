import { findCorsOrigin, type TenantFacts } from '@switchboard/contracts';
import type { CallRoute } from '@switchboard/service-kit';
import { runAsSystem } from '@switchboard/tenant-context';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Which web pages may call the API from a browser: those of the tenant, by exact origin. */
export interface Cors {
  /** Answers a browser that asks before it sends. `tenant`: whose door it came to; without one any active tenant's page may ask. */
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
/** Milliseconds an origin's answer is remembered when no event says otherwise. */
const rememberedForMs = 30_000;
/** Origins that are remembered; about 200 bytes each. */
const rememberedMax = 1_000;
/** Questions at the same time: anybody can make up origins, and each costs tenant-service a look-up. */
const askedMax = 20;

/** As browsers send it: scheme and host, never `null` (which sandboxed frames of anybody send). */
const originPattern = /^https?:\/\/[^/\s,*]{1,260}$/;

export function createCors({ callRoute }: { readonly callRoute: CallRoute }): Cors {
  const remembered = new Map<string, { readonly isAllowed: boolean; readonly until: number }>();
  let asked = 0;

  async function isAllowedSomewhere(origin: string): Promise<boolean> {
    const known = remembered.get(origin);
    if (known !== undefined && known.until > performance.now()) return known.isAllowed;
    if (asked >= askedMax) return false;
    asked++;
    try {
      const { isAllowed } = await runAsSystem('find whether any tenant allows an origin', () => callRoute('tenant-service', findCorsOrigin, { body: { origin } }));
      remembered.delete(origin);
      // Oldest first: a map keeps the order of insertion.
      if (remembered.size >= rememberedMax) for (const oldest of remembered.keys()) if (remembered.delete(oldest)) break;
      remembered.set(origin, { isAllowed, until: performance.now() + rememberedForMs });
      return isAllowed;
    } finally {
      asked--;
    }
  }

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
    forget: () => remembered.clear(),
  };
}
