import type { PaceLimit } from '../port.ts';

export interface Pace {
  /** Milliseconds to wait before the call; the place in line is taken. A wait longer than `waitMaxMs` (of the options, unless given) takes no place. */
  take(key: string, waitMaxMs?: number): { readonly kind: 'go'; readonly waitMs: number } | { readonly kind: 'too_long'; readonly retryAfterMs: number };
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

/** Keys remembered before rested ones are forgotten. */
const keysBeforeSweep = 10_000;

/**
 * Paces calls by key (a connection, a contact): a token bucket in its equivalent form with one number a key, the time at which the
 * bucket will be full again (GCRA, ATM Forum TM 4.0 §4.4.2). First come, first served; one process alone knows it.
 */
export function createPace(options: PaceOptions): Pace {
  const intervalMs = 60_000 / options.perMinute;
  const toleranceMs = (options.burst - 1) * intervalMs;
  const fullAt = new Map<string, number>();

  function sweep(now: number): void {
    if (fullAt.size < keysBeforeSweep) return;
    for (const [key, at] of fullAt) if (at <= now) fullAt.delete(key);
  }

  return {
    take(key, waitMaxMs = options.waitMaxMs) {
      const now = options.now().getTime();
      const known = fullAt.get(key);
      if (options.onlyAfterPause === true && (known === undefined || known <= now)) {
        fullAt.delete(key);
        return { kind: 'go', waitMs: 0 };
      }
      const at = Math.max(known ?? 0, now);
      const waitMs = Math.max(0, Math.ceil(at - toleranceMs - now));
      if (waitMs > waitMaxMs) return { kind: 'too_long', retryAfterMs: waitMs };
      sweep(now);
      fullAt.set(key, at + intervalMs);
      return { kind: 'go', waitMs };
    },
    giveBack(key) {
      const at = fullAt.get(key);
      if (at !== undefined) fullAt.set(key, at - intervalMs);
    },
    pause(key, forMs) {
      const now = options.now().getTime();
      sweep(now);
      fullAt.set(key, Math.max(fullAt.get(key) ?? 0, now + forMs + toleranceMs));
    },
  };
}
