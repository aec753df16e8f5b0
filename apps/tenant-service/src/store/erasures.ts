import type { EraseReceipt, PayloadOf, TenantId } from '@switchboard/contracts';
import type { TenantDatabase } from './client.ts';

/** After this everybody has forgotten what they kept in memory of a tenant: opened data keys stay longest, five minutes. */
const settlingMs = 10 * 60_000;

/** Erasures worked on in one round; the next round comes a minute later. */
const roundMax = 100;

export type Removal = EraseReceipt['webhooks'][number];
export type AuditEnd = NonNullable<EraseReceipt['audit']>;

export type Erasure = {
  /** `ers_` and 26 characters. */
  readonly erasureId: string;
  readonly tenantId: TenantId;
  readonly services: readonly string[];
  readonly receipts: Readonly<Record<string, Pick<PayloadOf<'tenant.erased'>, 'rows' | 'at'>>>;
  readonly webhooks: readonly Removal[];
  readonly audit: AuditEnd | null;
  readonly attempts: number;
  readonly begunAt: Date;
  readonly disconnectedAt: Date | null;
  readonly toldAt: Date | null;
  readonly completedAt: Date | null;
};

const columns = `erasure_id as "erasureId", erased_tenant_id as "tenantId", services, receipts, webhooks, audit, attempts, begun_at as "begunAt",
  disconnected_at as "disconnectedAt", told_at as "toldAt", completed_at as "completedAt"`;

/** Rows of `erasures`: what outlives a tenant. A platform table, in system scope. */
export function createErasureStore(db: TenantDatabase) {
  const run = (text: string, values: readonly unknown[]) =>
    db.transaction(async () => {
      await db.sql.query(text, values);
    });

  return {
    /** Begins the erasing of deleted tenants whose grace time is over: from here on there is no way back. */
    beginDue: (now: Date, services: readonly string[]): Promise<void> =>
      run(
        `with due as (
           update tenants set erasure_id = 'ers_' || substr(md5(gen_random_uuid()::text), 1, 26) where tenant_id in (
             select tenant_id from tenants where status = 'deleted' and delete_after <= $1 and erasure_id is null limit ${roundMax} for update skip locked
           ) returning tenant_id, erasure_id
         ) insert into erasures (erasure_id, erased_tenant_id, services, begun_at) select erasure_id, tenant_id, $2, $1 from due`,
        [now, services],
      ),

    listOpen: (): Promise<Erasure[]> => db.transaction(() => db.sql.query<Erasure>(`select ${columns} from erasures where completed_at is null order by begun_at limit ${roundMax}`)),

    findLast: (tenantId: TenantId): Promise<Erasure | undefined> =>
      db.transaction(async () => (await db.sql.query<Erasure>(`select ${columns} from erasures where erased_tenant_id = $1 order by begun_at desc limit 1`, [tenantId]))[0]),

    /** Whether the last tenant of this id is being erased, or was a moment ago. */
    isStillSettling: (tenantId: TenantId, now: Date): Promise<boolean> =>
      db.transaction(async () => {
        const rows = await db.sql.query('select from erasures where erased_tenant_id = $1 and (completed_at is null or completed_at > $2) limit 1', [tenantId, new Date(now.getTime() - settlingMs)]);
        return rows.length > 0;
      }),

    /** What became of a connection's webhooks at its provider; the last word counts. */
    noteRemoval: (erasureId: string, removal: Removal): Promise<void> =>
      run(
        `update erasures set webhooks = (select coalesce(jsonb_agg(other), '[]') from jsonb_array_elements(webhooks) other where other ->> 'connectionId' <> $2) || jsonb_build_array($3::jsonb)
          where erasure_id = $1`,
        [erasureId, removal.connectionId, JSON.stringify(removal)],
      ),

    /** Another try to remove the connections is through; `disconnectedAt` when none is left. */
    noteAttempt: (erasureId: string, disconnectedAt: Date | null): Promise<void> => run('update erasures set attempts = attempts + 1, disconnected_at = coalesce(disconnected_at, $2) where erasure_id = $1', [erasureId, disconnectedAt]),

    noteTold: (erasureId: string, toldAt: Date): Promise<void> => run('update erasures set told_at = $2 where erasure_id = $1', [erasureId, toldAt]),

    /** What the audit was; the first word counts. */
    noteAudit: (erasureId: string, audit: AuditEnd): Promise<void> => run('update erasures set audit = coalesce(audit, $2::jsonb) where erasure_id = $1', [erasureId, JSON.stringify(audit)]),

    addReceipt: (tenantId: TenantId, { service, rows, at }: PayloadOf<'tenant.erased'>): Promise<void> =>
      run('update erasures set receipts = receipts || jsonb_build_object($2::text, $3::jsonb) where erased_tenant_id = $1 and completed_at is null', [tenantId, service, JSON.stringify({ rows, at })]),

    complete: (erasureId: string, at: Date): Promise<void> => run('update erasures set completed_at = $2 where erasure_id = $1', [erasureId, at]),
  };
}
export type ErasureStore = ReturnType<typeof createErasureStore>;
