import { connectionIdSchema, eventIdSchema, tenantIdSchema, type ConnectionId, type EventId, type TenantId } from '@switchboard/contracts';
import type { Database } from '@switchboard/db';
import { currentTenant, runAsSystem } from '@switchboard/tenant-context';

/** A connection whose messages are to be looked through, and who does it. */
export type DueReconciliation = { readonly tenantId: TenantId; readonly connectionId: ConnectionId; readonly cause: EventId; readonly lookedUntil: Date; readonly failures: number };

export type ReconciliationChange = { readonly lookedUntil?: Date; readonly nextAt: Date; readonly failures: number };

/** Which connections are looked through, and how far. Each function is a transaction, or joins the open one. */
export interface Reconciliations {
  /** From then on; a connection that is followed already goes on as it does. */
  follow(connectionId: ConnectionId, cause: EventId, since: Date, nextAt: Date): Promise<void>;
  forget(connectionId: ConnectionId): Promise<void>;
  /** Takes, of all tenants, the one that is due for longest and that nobody works on. */
  takeDue(owner: string, now: Date, leaseMs: number): Promise<DueReconciliation | undefined>;
  /** Ends the owner's work; somebody else's, who took over after the lease, is left alone. */
  settle(connectionId: ConnectionId, owner: string, change: ReconciliationChange): Promise<void>;
}

type Row = { tenant_id: string; connection_id: string; cause: string; looked_until: Date; failures: number };

export function createReconciliations(db: Pick<Database<unknown>, 'transaction' | 'sql'>): Reconciliations {
  const query = <R extends object>(text: string, values: readonly unknown[]) => db.transaction(() => db.sql.query<R>(text, values));

  return {
    async follow(connectionId, cause, since, nextAt) {
      await query('insert into reconciliations (tenant_id, connection_id, cause, looked_until, next_at) values ($1, $2, $3, $4, $5) on conflict do nothing', [currentTenant(), connectionId, cause, since, nextAt]);
    },
    async forget(connectionId) {
      await query('delete from reconciliations where tenant_id = $1 and connection_id = $2', [currentTenant(), connectionId]);
    },
    takeDue: (owner, now, leaseMs) =>
      runAsSystem('connections of all tenants whose messages are due to be looked through', async () => {
        const [taken] = await query<Row>(
          `update reconciliations set lease_owner = $1, lease_until = $2::timestamptz + make_interval(secs => $3::float8 / 1000)
           where (tenant_id, connection_id) = (
             select tenant_id, connection_id from reconciliations
             where next_at <= $2 and (lease_until is null or lease_until < $2)
             order by next_at limit 1 for update skip locked)
           returning tenant_id, connection_id, cause, looked_until, failures`,
          [owner, now, leaseMs],
        );
        if (taken === undefined) return undefined;
        const { tenant_id: tenantId, connection_id: connectionId, cause, looked_until: lookedUntil, failures } = taken;
        return { tenantId: tenantIdSchema.parse(tenantId), connectionId: connectionIdSchema.parse(connectionId), cause: eventIdSchema.parse(cause), lookedUntil, failures };
      }),
    async settle(connectionId, owner, { lookedUntil, nextAt, failures }) {
      await query(
        `update reconciliations set looked_until = greatest(looked_until, coalesce($4, looked_until)), next_at = $5, failures = $6, lease_owner = null, lease_until = null
         where tenant_id = $1 and connection_id = $2 and lease_owner = $3`,
        [currentTenant(), connectionId, owner, lookedUntil ?? null, nextAt, failures],
      );
    },
  };
}
