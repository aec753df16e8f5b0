import type { Pool } from 'pg';
import type { BusSchema } from '../bus-schema.ts';
import type { FailureReason } from '../port.ts';
import { newId } from '@switchboard/contracts';

/** A row of `pending_events`. `envelope` is null where it was not asked for. */
export type PendingRow = {
  readonly id: number;
  readonly tenantId: string;
  readonly group: string;
  readonly orderingKey: string;
  readonly attempts: number;
  /** Milliseconds since it came here. */
  readonly ageMs: number;
  /** Milliseconds until its next try; 0 when it may run now. */
  readonly waitMs: number;
  readonly envelope: unknown;
};

type Sql = { id: string; tenant_id: string; consumer_group: string; ordering_key: string; attempts: number; age_ms: number; wait_ms: number | null; envelope: unknown };

export interface PendingStore {
  /** Rows after `cursor` and those of `gaps`, lowest id first, of all groups. No envelopes for `withoutEnvelopes` (tenants) and groups not in `groups`. */
  loadNew(from: { cursor: number; gaps: readonly number[]; groups: readonly string[]; withoutEnvelopes: readonly string[]; limit: number }): Promise<PendingRow[]>;
  /** Rows of one tenant after an id, without envelopes. */
  loadOfTenant(tenantId: string, afterId: number, limit: number): Promise<PendingRow[]>;
  /** All rows up to `cursor`, without envelopes: to find what was overlooked. */
  loadUpTo(cursor: number, limit: number): Promise<PendingRow[]>;
  loadEnvelopes(ids: readonly number[]): Promise<Map<number, unknown>>;
  remove(ids: readonly number[]): Promise<void>;
  postpone(id: number, attempts: number, afterMs: number, error: FailureReason): Promise<void>;
  /** Moves the row to the dead letters. */
  bury(id: number, attempts: number, error: FailureReason): Promise<void>;
  count(): Promise<number>;
}

/** Counting beyond this costs more than the figure is worth. */
const countMax = 100_000;

export function createPendingStore(pool: Pool, { name }: BusSchema): PendingStore {
  const table = `${name}.pending_events`;
  const columns = `id, tenant_id, consumer_group, ordering_key, attempts, (extract(epoch from retry_at - now()) * 1000)::float8 as wait_ms, (extract(epoch from now() - waiting_since) * 1000)::float8 as age_ms`;

  /** Named statements are planned once a connection: planning costs three times what running them does. */
  async function load(name: string, text: string, values: unknown[]): Promise<PendingRow[]> {
    const { rows } = await pool.query<Sql>({ name, text, values });
    return rows.map(toRow);
  }

  return {
    loadNew: ({ cursor, gaps, groups, withoutEnvelopes, limit }) =>
      load(
        'load_new_events',
        `with found as (
           (select *, tenant_id = any($4) or consumer_group <> all($3) as bare from ${table} where id > $1 order by id limit $5)
           union all
           (select *, tenant_id = any($4) or consumer_group <> all($3) as bare from ${table} where id = any($2))
         ) select ${columns}, case when bare then null else envelope end as envelope from found order by id`,
        [cursor, gaps, groups, withoutEnvelopes, limit],
      ),
    loadOfTenant: (tenantId, afterId, limit) => load('load_events_of_tenant', `select ${columns}, null as envelope from ${table} where tenant_id = $1 and id > $2 order by id limit $3`, [tenantId, afterId, limit]),
    loadUpTo: (cursor, limit) => load('load_events_up_to', `select ${columns}, null as envelope from ${table} where id <= $1 order by id limit $2`, [cursor, limit]),
    async loadEnvelopes(ids) {
      const { rows } = await pool.query<{ id: string; envelope: unknown }>({ name: 'load_envelopes', text: `select id, envelope from ${table} where id = any($1)`, values: [ids] });
      return new Map(rows.map((row) => [Number(row.id), row.envelope]));
    },
    async remove(ids) {
      await pool.query({ name: 'remove_events', text: `delete from ${table} where id = any($1)`, values: [ids] });
    },
    async postpone(id, attempts, afterMs, error) {
      await pool.query(`update ${table} set attempts = $2, retry_at = now() + $3 * interval '1 millisecond', last_error = $4 where id = $1`, [id, attempts, afterMs, `${error.code}: ${error.message}`]);
    },
    async bury(id, attempts, error) {
      await pool.query(
        `with gone as (delete from ${table} where id = $1 returning *)
         insert into ${name}.dead_letters (tenant_id, id, consumer_group, ordering_key, envelope, error_code, error_message, attempts)
         select tenant_id, $2, consumer_group, ordering_key, envelope, $3, $4, $5 from gone`,
        [id, newId('dlq'), error.code, error.message, attempts],
      );
    },
    async count() {
      const { rows } = await pool.query<{ count: string }>(`select count(*) from (select from ${table} limit ${countMax}) as counted`);
      return Number(rows[0]?.count ?? 0);
    },
  };
}

function toRow(row: Sql): PendingRow {
  return {
    // Safe as a number: 2^53 events are 285 years at a million a second.
    id: Number(row.id),
    tenantId: row.tenant_id,
    group: row.consumer_group,
    orderingKey: row.ordering_key,
    attempts: row.attempts,
    ageMs: Math.max(0, row.age_ms),
    waitMs: Math.max(0, row.wait_ms ?? 0),
    envelope: row.envelope,
  };
}
