import type { BusSchema } from '../bus-schema.ts';
import { ownerOnlySql } from './bus-tables-sql.ts';
import { publishSql } from './bus-functions-sql.ts';

/**
 * The kafka driver's own objects: `outbox` holds what was published until the relay has handed it to Kafka (channel `<schema>_outbox` wakes it);
 * `pending_events_lane` finds out whether a lane has parked events.
 */
export function kafkaSql(schema: BusSchema): string {
  const { name, owner } = schema;
  return `
    create table if not exists ${name}.outbox (
      tenant_id text not null,
      id bigint generated always as identity primary key,
      envelope jsonb not null
    ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
    ${ownerOnlySql(name, 'outbox', owner)}
    create index if not exists pending_events_lane on ${name}.pending_events (tenant_id, consumer_group, ordering_key, id);
    ${publishSql(
      schema,
      `
      insert into ${name}.outbox (tenant_id, envelope)
        select e ->> 'tenantId', e from jsonb_array_elements(p_envelopes) with ordinality as item (e, n) order by n;
      get diagnostics v_count = row_count;
      if v_count > 0 and p_notify then perform pg_notify('${name}_outbox', ''); end if;`,
    )}`;
}
