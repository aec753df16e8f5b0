import { hubError } from '@switchboard/contracts';

export interface InFlightLimit {
  /** One more under way for this holder, until `leave`. Throws `limit.rate_exceeded` when as many as allowed are. */
  enter(holder: string): void;
  leave(holder: string): void;
}

/** At most `max` at the same time for each holder (a tenant, strangers of one network), in this process. */
export function createInFlightLimit(max: number): InFlightLimit {
  const underWay = new Map<string, number>();
  return {
    enter(holder) {
      const before = underWay.get(holder) ?? 0;
      if (before >= max) throw hubError('limit.rate_exceeded', { publicMessage: `More than ${max} requests at the same time. Wait for answers before sending more.` });
      underWay.set(holder, before + 1);
    },
    leave(holder) {
      const left = (underWay.get(holder) ?? 1) - 1;
      // No entry at rest: they come and go, the map must not grow.
      if (left === 0) underWay.delete(holder);
      else underWay.set(holder, left);
    },
  };
}
