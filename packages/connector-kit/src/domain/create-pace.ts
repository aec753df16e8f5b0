import type { PaceLimit } from '../port.ts';

export interface Pace {
  /** Milliseconds to wait before the call; the place in line is taken. A wait longer than `waitMaxMs` takes no place. What is not given is that of the options. */
  take(key: string, own?: { readonly perMinute?: number; readonly waitMaxMs?: number }): { readonly kind: 'go'; readonly waitMs: number } | { readonly kind: 'too_long'; readonly retryAfterMs: number };
  /** A place that was taken and is not used after all. */
  giveBack(key: string): void;
  /** Nothing goes for so long; afterwards one at a time, without a burst. */
  pause(key: string, forMs: number): void;
}

export type PaceOptions = PaceLimit & {
  /** Longest wait in line. A handler that waits holds a place in the tenant's work in flight, which bounds the line. */
  readonly waitMaxMs: number;
  /** Only keys that were paused once are paced, until they have rested long enough. */
  readonly onlyAfterPause?: boolean;
  readonly now: () => Date;
};

/** `fullAt`: when the bucket will be full again. `intervalMs`: between two calls, as the key was paced last. */
type Bucket = { readonly fullAt: number; readonly intervalMs: number };

/** Keys remembered before rested ones are forgotten. */
const keysBeforeSweep = 10_000;

/**
 * Paces calls by key (a connection, a contact): a token bucket in its equivalent form with one number a key, the time at which the
 * bucket will be full again (GCRA, ATM Forum TM 4.0 §4.4.2). First come, first served; one process alone knows it.
 */
export function createPace(options: PaceOptions): Pace {
  const buckets = new Map<string, Bucket>();
  const toleranceMs = (intervalMs: number) => (options.burst - 1) * intervalMs;

  function sweep(now: number): void {
    if (buckets.size < keysBeforeSweep) return;
    for (const [key, { fullAt }] of buckets) if (fullAt <= now) buckets.delete(key);
  }

  return {
    take(key, { perMinute = options.perMinute, waitMaxMs = options.waitMaxMs } = {}) {
      const now = options.now().getTime();
      const intervalMs = 60_000 / perMinute;
      const known = buckets.get(key)?.fullAt;
      if (options.onlyAfterPause === true && (known === undefined || known <= now)) {
        buckets.delete(key);
        return { kind: 'go', waitMs: 0 };
      }
      const fullAt = Math.max(known ?? 0, now);
      const waitMs = Math.max(0, Math.ceil(fullAt - toleranceMs(intervalMs) - now));
      if (waitMs > waitMaxMs) return { kind: 'too_long', retryAfterMs: waitMs };
      sweep(now);
      buckets.set(key, { fullAt: fullAt + intervalMs, intervalMs });
      return { kind: 'go', waitMs };
    },
    giveBack(key) {
      const bucket = buckets.get(key);
      if (bucket !== undefined) buckets.set(key, { ...bucket, fullAt: bucket.fullAt - bucket.intervalMs });
    },
    pause(key, forMs) {
      const now = options.now().getTime();
      sweep(now);
      const { fullAt, intervalMs } = buckets.get(key) ?? { fullAt: 0, intervalMs: 60_000 / options.perMinute };
      buckets.set(key, { fullAt: Math.max(fullAt, now + forMs + toleranceMs(intervalMs)), intervalMs });
    },
  };
}
