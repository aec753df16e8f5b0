import { decideLimit, endOf, type Bucket, type Rate } from './domain/decide-limit.ts';
import type { CountedBucket } from './limit-store.ts';
import type { Counted } from './redis-limit.ts';

/** Buckets after which those that are over are looked for the first time. */
const sweepFrom = 1_000;

/** Counts in this process; `now` in milliseconds. Keeps a bucket as long as it differs from a new one. */
export function createLocalLimit(): (buckets: readonly CountedBucket[], now: number) => Counted {
  const kept = new Map<string, { readonly bucket: Bucket; readonly rate: Rate }>();
  let sweepAt = sweepFrom;

  function sweep(now: number): void {
    for (const [id, { bucket, rate }] of kept) if (endOf(bucket, rate) <= now) kept.delete(id);
    // Twice what is left: looking through all of them costs each new one a constant.
    sweepAt = Math.max(sweepFrom, 2 * kept.size);
  }

  return (buckets, now) => {
    const decision = decideLimit(buckets.map(({ id, rate }) => ({ rate, bucket: kept.get(id)?.bucket })), now);
    buckets.forEach(({ id, rate }, index) => {
      const bucket = decision.buckets[index];
      if (bucket !== undefined) kept.set(id, { bucket, rate });
    });
    if (kept.size >= sweepAt) sweep(now);
    return { isAccepted: decision.kind === 'accepted', remaining: decision.remaining, resetMs: decision.resetMs };
  };
}
