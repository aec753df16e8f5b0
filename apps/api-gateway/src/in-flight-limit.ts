import { hubError, type TenantId } from '@switchboard/contracts';

export interface InFlightLimit {
  /** Runs `work` unless as many as allowed are under way for this tenant; then throws `limit.rate_exceeded`. */
  run<T>(tenantId: TenantId, work: () => Promise<T>): Promise<T>;
}

/** At most `max` at the same time for each tenant, in this process. */
export function createInFlightLimit(max: number): InFlightLimit {
  const underWay = new Map<TenantId, number>();
  return {
    async run(tenantId, work) {
      const before = underWay.get(tenantId) ?? 0;
      if (before >= max) throw hubError('limit.rate_exceeded', { publicMessage: `More than ${max} requests at the same time. Wait for answers before sending more.` });
      underWay.set(tenantId, before + 1);
      try {
        return await work();
      } finally {
        const left = (underWay.get(tenantId) ?? 1) - 1;
        // No entry at rest: tenants come and go, the map must not grow.
        if (left === 0) underWay.delete(tenantId);
        else underWay.set(tenantId, left);
      }
    },
  };
}
