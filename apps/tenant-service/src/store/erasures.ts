import type { TenantId } from '@switchboard/contracts';
import type { TenantDatabase } from './client.ts';

/** After this everybody has forgotten what they kept in memory of a tenant: opened data keys stay longest, five minutes. */
const settlingMs = 10 * 60_000;

/** Rows of `erasures`: what outlives a tenant. A platform table, in system scope. */
export function createErasureStore(db: TenantDatabase) {
  return {
    /** Whether the last tenant of this id was erased only a moment ago. */
    isStillSettling: (tenantId: TenantId, now: Date): Promise<boolean> =>
      db.transaction(async () => {
        const rows = await db.sql.query('select from erasures where erased_tenant_id = $1 and completed_at > $2 limit 1', [tenantId, new Date(now.getTime() - settlingMs)]);
        return rows.length > 0;
      }),
  };
}
export type ErasureStore = ReturnType<typeof createErasureStore>;
