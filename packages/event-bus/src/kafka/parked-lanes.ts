import type { Pool } from 'pg';
import type { BusSchema } from '../bus-schema.ts';
import type { FailureReason } from '../port.ts';
import { newId } from '@switchboard/contracts';

/** An event on its way to one consumer group, with the lane it keeps its order in. */
export type LaneEvent = { readonly tenantId: string; readonly group: string; readonly orderingKey: string; readonly envelope: unknown };

/**
 * Parks events of failing lanes in `pending_events`, where the lane runner tries them again, and dead letters. Every process of the group
 * sees the same table, so that order holds across processes and rebalances.
 */
export interface ParkedLanes {
  /** Lanes of a group that have parked events now: `<tenant> <ordering key>`. */
  load(group: string): Promise<Set<string>>;
  /** Puts the event at the end of its lane, to be tried after `afterMs`. `attempts`: tries so far. */
  park(event: LaneEvent, attempts: number, afterMs: number, error: FailureReason): Promise<void>;
  /** Puts the event at the end of its lane if the lane has parked events; one statement, so that no lane empties in between. False: the lane is empty, run the event. */
  follow(event: LaneEvent): Promise<boolean>;
  /** Stores a dead letter; one only, however often the record is delivered. */
  bury(event: LaneEvent, attempts: number, error: FailureReason): Promise<void>;
}

export function createParkedLanes(pool: Pool, { name }: BusSchema): ParkedLanes {
  return {
    async load(group) {
      const { rows } = await pool.query<{ lane: string }>(`select distinct tenant_id || ' ' || ordering_key as lane from ${name}.pending_events where consumer_group = $1`, [group]);
      return new Set(rows.map(({ lane }) => lane));
    },
    async park({ tenantId, group, orderingKey, envelope }, attempts, afterMs, error) {
      await pool.query(
        `with parked as (
           insert into ${name}.pending_events (tenant_id, consumer_group, ordering_key, envelope, attempts, retry_at, last_error)
           values ($1, $2, $3, $4, $5, now() + $6 * interval '1 millisecond', $7) returning 1
         ) select pg_notify('${name}_pending', '') from parked`,
        [tenantId, group, orderingKey, JSON.stringify(envelope), attempts, afterMs, `${error.code}: ${error.message}`],
      );
    },
    async follow({ tenantId, group, orderingKey, envelope }) {
      const { rowCount } = await pool.query(
        `with parked as (
           insert into ${name}.pending_events (tenant_id, consumer_group, ordering_key, envelope)
           select $1, $2, $3, $4 where exists (select from ${name}.pending_events where tenant_id = $1 and consumer_group = $2 and ordering_key = $3) returning 1
         ) select pg_notify('${name}_pending', '') from parked`,
        [tenantId, group, orderingKey, JSON.stringify(envelope)],
      );
      return rowCount === 1;
    },
    async bury({ tenantId, group, orderingKey, envelope }, attempts, error) {
      await pool.query(
        `insert into ${name}.dead_letters (tenant_id, id, consumer_group, ordering_key, envelope, error_code, error_message, attempts)
         select $1, $2, $3, $4, $5::jsonb, $6, $7, $8
         where not exists (select from ${name}.dead_letters where tenant_id = $1 and consumer_group = $3 and ordering_key = $4 and envelope ->> 'eventId' = $5::jsonb ->> 'eventId')`,
        [tenantId, newId('dlq'), group, orderingKey, JSON.stringify(envelope), error.code, error.message, attempts],
      );
    },
  };
}

/** Name of a lane within its group, as `load` returns it. */
export function laneOf({ tenantId, orderingKey }: Pick<LaneEvent, 'tenantId' | 'orderingKey'>): string {
  return `${tenantId} ${orderingKey}`;
}
