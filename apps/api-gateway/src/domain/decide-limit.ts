/** How many requests a bucket takes: one every `intervalMs` in the long run, and as many as fit into `windowMs` at once. */
export type Rate = { readonly intervalMs: number; readonly windowMs: number };

/**
 * What is remembered of a bucket, in milliseconds. `began`: when its window began. `used`: what its requests have used since then, an interval
 * each. `refused`: when it last refused, 0 for never. `intervalMs`: the rate that `used` was counted at.
 */
export type Bucket = { readonly began: number; readonly used: number; readonly refused: number; readonly intervalMs: number };

export type LimitDecision =
  | { readonly kind: 'accepted'; /** Requests that would still be accepted now. */ readonly remaining: number; readonly resetMs: number; readonly buckets: readonly Bucket[] }
  | { readonly kind: 'refused'; readonly remaining: 0; /** Milliseconds until one would be accepted. */ readonly resetMs: number; readonly buckets: readonly Bucket[] };

/** Part of an interval that sums of intervals may be wrong by. */
const tolerance = 1e-6;

/** A rate of `perMinute`, of which `burstSeconds` worth may be used at once, and one request at least. */
export function rateOf(perMinute: number, burstSeconds: number): Rate {
  const intervalMs = 60_000 / perMinute;
  return { intervalMs, windowMs: intervalMs * burstOf(perMinute, burstSeconds) };
}

export function burstOf(perMinute: number, burstSeconds: number): number {
  return Math.max(1, Math.floor((perMinute * burstSeconds) / 60));
}

/**
 * One request at `now` against all its buckets: accepted by all of them, or counted in none.
 *
 * A bucket gives the allowance of a whole window at once. Who stays within it gets the next when the window is over; who was refused gets no
 * more than one request an interval, from the end of its window on, until it was not refused for as long as a window. So any steady load, over any time
 * longer than a window, is accepted at exactly the rate: there is no boundary at which two windows are used at once, and what was refused
 * is not counted. redis-limit.ts has the same arithmetic in Lua, and the same tests.
 */
export function decideLimit(asked: readonly { readonly rate: Rate; readonly bucket: Bucket | undefined }[], now: number): LimitDecision {
  const current = asked.map(({ rate, bucket }) => ({ rate, bucket: currentOf(bucket, rate, now) }));
  const refusing = current.filter(({ rate, bucket }) => bucket.used + rate.intervalMs > allowance(bucket, rate, now) + rate.intervalMs * tolerance);
  if (refusing.length > 0) {
    return {
      kind: 'refused',
      remaining: 0,
      resetMs: Math.max(...refusing.map(({ rate, bucket }) => Math.min(bucket.began + bucket.used + rate.intervalMs - now, rate.windowMs))),
      buckets: current.map((one) => (refusing.includes(one) ? { ...one.bucket, refused: now } : one.bucket)),
    };
  }
  const counted = current.map(({ rate, bucket }) => ({ rate, bucket: { ...bucket, used: bucket.used + rate.intervalMs } }));
  return {
    kind: 'accepted',
    remaining: Math.min(...counted.map(({ rate, bucket }) => Math.floor((allowance(bucket, rate, now) - bucket.used) / rate.intervalMs + tolerance))),
    resetMs: Math.max(...counted.map(({ rate, bucket }) => bucket.began + Math.max(rate.windowMs, bucket.used) - now)),
    buckets: counted.map(({ bucket }) => bucket),
  };
}

/** When a bucket is the same as a new one. */
export function endOf({ began, refused }: Bucket, { windowMs }: Rate): number {
  return Math.max(began, refused) + windowMs;
}

function currentOf(bucket: Bucket | undefined, rate: Rate, now: number): Bucket {
  const fresh = { began: now, used: 0, refused: bucket?.refused ?? 0, intervalMs: rate.intervalMs };
  // A clock that was set back must not refuse until it is there again.
  if (bucket === undefined || now >= endOf(bucket, rate) || bucket.began > now + rate.windowMs) return fresh;
  if (bucket.intervalMs === rate.intervalMs) return bucket;
  // The rate was changed: in its window a bucket keeps the number of its requests, later it begins anew.
  if (now - bucket.began >= rate.windowMs) return fresh;
  return { ...bucket, used: (bucket.used / bucket.intervalMs) * rate.intervalMs, intervalMs: rate.intervalMs };
}

function allowance({ began }: Bucket, { windowMs }: Rate, now: number): number {
  return Math.max(windowMs, now - began);
}
