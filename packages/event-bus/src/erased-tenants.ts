import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { hubError, type TenantId } from '@switchboard/contracts';
import { currentTenant } from '@switchboard/tenant-context';
import type { Pool } from 'pg';
import type { BusDriverName, BusSchema } from './bus-schema.ts';
import type { ErasedTenants, UnitOfWork } from './port.ts';

/** How old what a process knows of erased tenants may be. */
const knownMsMax = 1_000;
/** By then every process knows of a mark; more than the age above, so that a transaction which was let in has begun by then. */
const heardOfMs = 1_500;
/** Transactions that began before the mark are waited for so long: none of a service's lasts longer without a word. What only reads, such as a backup, may. */
const olderMsMax = 20_000;
/** Events that happened after the erasing may be a new tenant's whose creation has not been heard of here: that long they wait. */
const undecidedMsMax = 60_000;
/** Changes are read again for a while: one may be committed after a later one. */
const overlapMs = 60_000;
const batchMax = 5_000;

export type Judgement = 'kept' | 'erased' | 'undecided';

type Row = { tenant_hash: string; erased_at: Date; revived_at: Date | null; changed_at: Date };
type Mark = { readonly erasedAt: number; readonly revivedAt: number | undefined };

type Parts = {
  readonly pool: Pool;
  readonly schema: BusSchema;
  readonly driver: BusDriverName;
  readonly service: string;
  readonly unitOfWork: UnitOfWork;
  /** Of the service's own subscriptions; read when something is erased. */
  readonly groups: () => readonly string[];
};

/** Which tenants this service has erased: a mark in `erased_tenants`, of which every process of the service knows within a second and a half. */
export function createErasedTenants({ pool, schema, driver, service, unitOfWork, groups }: Parts): ErasedTenants & { judge(event: { tenantId: TenantId; occurredAt: string }): Promise<Judgement> } {
  const { name } = schema;
  const marks = new Map<string, Mark>();
  const erasing = new AsyncLocalStorage<TenantId>();
  let readUntil = new Date(0);
  let loadedAt = Number.NEGATIVE_INFINITY;
  let loading: Promise<void> | undefined;

  async function load(): Promise<void> {
    const { rows } = await pool.query<Row>({
      name: 'load_erased_tenants',
      text: `select tenant_hash, erased_at, revived_at, changed_at from ${name}.erased_tenants where service = $1 and changed_at >= $2`,
      values: [service, new Date(readUntil.getTime() - overlapMs)],
    });
    for (const row of rows) {
      const kept = marks.get(row.tenant_hash);
      const erasedAt = row.erased_at.getTime();
      // A read that began before this process itself revived the tenant knows less.
      if (kept?.erasedAt !== erasedAt || kept.revivedAt === undefined) marks.set(row.tenant_hash, { erasedAt, revivedAt: row.revived_at?.getTime() });
      if (row.changed_at > readUntil) readUntil = row.changed_at;
    }
  }

  function refresh(): Promise<void> | undefined {
    const ageMs = performance.now() - loadedAt;
    if (ageMs < knownMsMax / 2) return undefined;
    const startedAt = performance.now();
    loading ??= load()
      .then(() => void (loadedAt = startedAt))
      .finally(() => (loading = undefined));
    if (ageMs >= knownMsMax) return loading;
    // Asked early, so that nobody waits while there is work all the time. Who needs the answer asks again.
    loading.catch(() => undefined);
    return undefined;
  }

  const markOf = (tenantId: TenantId) => (marks.size === 0 ? undefined : marks.get(hashOf(tenantId)));

  function assertKept(tenantId: TenantId): void {
    const mark = markOf(tenantId);
    if (mark !== undefined && mark.revivedAt === undefined && erasing.getStore() !== tenantId) throw hubError('tenant.not_found');
  }

  /** Waits until nothing runs that may not have known: transactions that were open when everybody had heard of the mark. */
  async function waitForOlder(): Promise<void> {
    await sleep(heardOfMs);
    const running = async () => new Set((await pool.query<{ id: string }>(`select virtualtransaction as id from pg_locks where locktype = 'virtualxid' and granted and pid <> pg_backend_pid()`)).rows.map(({ id }) => id));
    let older = await running();
    for (const until = performance.now() + olderMsMax; older.size > 0 && performance.now() < until; await sleep(50)) {
      const still = await running();
      older = new Set([...older].filter((id) => still.has(id)));
    }
  }

  /** Counts in the same statement, so that breaking off loses none. */
  async function eraseFrom(table: string, condition: string, values: readonly unknown[]): Promise<void> {
    for (let removed = batchMax; removed === batchMax; ) {
      const { rows } = await pool.query<{ removed: string }>(
        `with gone as (
           delete from ${name}.${table} where ctid = any(array(select ctid from ${name}.${table} where tenant_id = $1 ${condition} limit ${batchMax})) returning 1
         ), counted as (select count(*) as removed from gone), noted as (
           update ${name}.erased_tenants set rows = jsonb_set(rows, array['events'], to_jsonb(coalesce((rows ->> 'events')::bigint, 0) + removed)) from counted
            where service = $2 and tenant_hash = $3 and removed > 0
         ) select removed from counted`,
        [currentTenant(), service, hashOf(currentTenant()), ...values],
      );
      removed = Number(rows[0]?.removed ?? 0);
    }
  }

  /** What the bus keeps of the tenant for this service; of every service with `ofAll`. What says that it is erased itself goes its way. */
  async function eraseEvents(ofAll: boolean): Promise<void> {
    const isOwnSchema = driver === 'kafka' || ofAll;
    const condition = isOwnSchema ? '' : 'and consumer_group = any($4)';
    const values = isOwnSchema ? [] : [groups()];
    await eraseFrom('pending_events', `${condition} and envelope ->> 'type' not in ('tenant.changed', 'tenant.erased')`, values);
    await eraseFrom('dead_letters', condition, values);
    await eraseFrom('inbox', condition, values);
    if (driver === 'embedded' && ofAll) await eraseFrom('broadcasts', '', []);
  }

  return {
    admit(tenantId) {
      const refreshing = refresh();
      if (refreshing === undefined) return assertKept(tenantId);
      // Without an answer what is known counts: the service's own statements will say what is wrong.
      return refreshing.catch(() => undefined).then(() => assertKept(tenantId));
    },

    async judge({ tenantId, occurredAt }) {
      await refresh()?.catch(() => undefined);
      const mark = markOf(tenantId);
      if (mark === undefined) return 'kept';
      const at = new Date(occurredAt).getTime();
      if (mark.revivedAt !== undefined) return at < mark.revivedAt ? 'erased' : 'kept';
      return at <= mark.erasedAt || Date.now() - at > undecidedMsMax ? 'erased' : 'undecided';
    },

    async erase(event, { rows, done, ofAll = false }) {
      const tenantId = currentTenant();
      const { rows: [mark] } = await pool.query<{ settled: boolean }>(
        `insert into ${name}.erased_tenants as known (service, tenant_hash, event_id, erased_at) values ($1, $2, $3, $4)
         on conflict (service, tenant_hash) do update
           set event_id = excluded.event_id, erased_at = excluded.erased_at, revived_at = null, changed_at = clock_timestamp(),
               rows = case when known.event_id = excluded.event_id then known.rows else '{}' end,
               settled_at = case when known.event_id = excluded.event_id then known.settled_at end
           where known.revived_at is null or known.revived_at < excluded.erased_at
         returning settled_at is not null as settled`,
        [service, hashOf(tenantId), event.eventId, event.occurredAt],
      );
      if (mark === undefined) return false;
      if (!mark.settled) {
        await waitForOlder();
        await pool.query(`update ${name}.erased_tenants set settled_at = now() where service = $1 and tenant_hash = $2`, [service, hashOf(tenantId)]);
      }
      await erasing.run(tenantId, async () => {
        await rows((count) => unitOfWork.sql.enqueue(`select ${name}.note_erased($1, $2::jsonb)`, [service, JSON.stringify(count)]));
        await eraseEvents(ofAll);
        const { rows: [total] } = await pool.query<{ rows: Record<string, number> }>(`select rows from ${name}.erased_tenants where service = $1 and tenant_hash = $2`, [service, hashOf(tenantId)]);
        await done(total?.rows ?? {});
      });
      return true;
    },

    async revive(at) {
      const tenantId = currentTenant();
      const { rows: [revived] } = await pool.query<{ erased_at: Date }>(
        `update ${name}.erased_tenants set revived_at = $3, changed_at = clock_timestamp() where service = $1 and tenant_hash = $2 and revived_at is null and erased_at < $3 returning erased_at`,
        [service, hashOf(tenantId), at],
      );
      // Known here at once: whoever revives it goes on to write.
      if (revived !== undefined) marks.set(hashOf(tenantId), { erasedAt: revived.erased_at.getTime(), revivedAt: new Date(at).getTime() });
    },
  };
}

/** The id itself would be a trace of the tenant. */
function hashOf(tenantId: TenantId): string {
  return createHash('sha256').update(tenantId).digest('hex');
}
