import { hubError } from '@switchboard/contracts';
import type { Egress } from '@switchboard/service-kit';
import { createLocalJWKSet, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';

/** Milliseconds keys are used before they are asked for again. */
export const freshMs = 10 * 60_000;
/** Milliseconds between two fetches because of a key id that is not there, which anybody can write into a token. */
export const unknownKidMs = 30_000;
/** Milliseconds that keys go on for while the issuer cannot be reached: an outage of an hour logs nobody out, and a key that was taken back does not live for ever. */
export const staleMs = 60 * 60_000;
/** Milliseconds after a failure in which nobody is made to wait for the next one. */
export const failedMs = 5_000;

/** Issuers whose keys are kept; the one that was asked for longest ago goes. */
const keptMax = 500;
/** Published keys are a few hundred bytes each, and there are a few of them. */
const responseMaxBytes = 256 * 1024;
const timeoutMs = 3_000;

const jwksSchema = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(100) });

export interface JwksCache {
  /** The keys published there. `askAgain`: one that a token names was not among them. Throws `service.unavailable` when there are none to go on with. */
  find(url: string, options?: { readonly askAgain: boolean }): Promise<JWTVerifyGetKey>;
}

type Kept = { keys: JWTVerifyGetKey | undefined; fetchedAtMs: number; failedAtMs: number; fetching: Promise<void> | undefined };

export function createJwksCache({ egress, now }: { readonly egress: Pick<Egress, 'request'>; readonly now: () => Date }): JwksCache {
  const kept = new Map<string, Kept>();

  const keptOf = (url: string): Kept => {
    const known = kept.get(url) ?? { keys: undefined, fetchedAtMs: -Infinity, failedAtMs: -Infinity, fetching: undefined };
    kept.delete(url);
    kept.set(url, known);
    const [oldest] = kept.keys();
    if (kept.size > keptMax && oldest !== undefined) kept.delete(oldest);
    return known;
  };

  const fetchKeys = async (url: string, entry: Kept): Promise<void> => {
    const startedAtMs = now().getTime();
    try {
      const { status, body } = await egress.request({ method: 'GET', url, headers: { accept: 'application/json' }, timeoutMs, responseMaxBytes });
      if (status !== 200) throw new Error(`answered ${status}`);
      entry.keys = createLocalJWKSet(jwksSchema.parse(JSON.parse(body.toString('utf8'))));
      entry.fetchedAtMs = startedAtMs;
      entry.failedAtMs = -Infinity;
    } catch {
      // Whatever it was, there are no new keys; how long those there are go on is decided by whoever asks.
      entry.failedAtMs = now().getTime();
    }
  };

  return {
    async find(url, { askAgain } = { askAgain: false }) {
      const entry = keptOf(url);
      const nowMs = now().getTime();
      const isDue = nowMs - entry.fetchedAtMs >= (askAgain ? unknownKidMs : freshMs) && nowMs - entry.failedAtMs >= failedMs;
      if (isDue || entry.fetching !== undefined) {
        entry.fetching ??= fetchKeys(url, entry).finally(() => {
          entry.fetching = undefined;
        });
        await entry.fetching;
      }
      if (entry.keys === undefined || now().getTime() - entry.fetchedAtMs >= freshMs + staleMs) {
        throw hubError('service.unavailable', { publicMessage: 'The keys of the token\'s issuer cannot be fetched. Send the request again after Retry-After.', retry: { afterMs: failedMs } });
      }
      return entry.keys;
    },
  };
}
