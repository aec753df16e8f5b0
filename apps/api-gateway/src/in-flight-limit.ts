import { hubError } from '@switchboard/contracts';

export interface InFlightLimit {
  /** Runs `work` unless as many as allowed are under way for this holder; then throws `limit.rate_exceeded`. */
  run<T>(holder: string, work: () => Promise<T>): Promise<T>;
}

/** At most `max` at the same time for each holder (a tenant, a stranger by address), in this process. */
export function createInFlightLimit(max: number): InFlightLimit {
  const underWay = new Map<string, number>();
  return {
    async run(holder, work) {
      const before = underWay.get(holder) ?? 0;
      if (before >= max) throw hubError('limit.rate_exceeded', { publicMessage: `More than ${max} requests at the same time. Wait for answers before sending more.` });
      underWay.set(holder, before + 1);
      try {
        return await work();
      } finally {
        const left = (underWay.get(holder) ?? 1) - 1;
        // No entry at rest: they come and go, the map must not grow.
        if (left === 0) underWay.delete(holder);
        else underWay.set(holder, left);
      }
    },
  };
}
