import type { BusSchema } from '../bus-schema.ts';
import { ownerOnlySql } from './bus-tables-sql.ts';
import { publishSql } from './bus-functions-sql.ts';

/**
 * The embedded driver's own objects.
 * - `subscriptions`: who gets which events; `publish` fans out by it. Kept across restarts, so that what is published while a group is away waits for it.
 * - `broadcasts`: events for every process that runs now; kept for minutes.
 * Channels: `<schema>_pending` wakes the runner, `<schema>_broadcast` carries the id of a broadcast.
 */
export function embeddedSql(schema: BusSchema): string {
  const { name, owner } = schema;
  return `
    create table if not exists ${name}.subscriptions (
      type text not null,
      consumer_group text not null,
      service text not null,
      delivery text not null check (delivery in ('group', 'broadcast')),
      primary key (type, consumer_group)
    );
    create table if not exists ${name}.broadcasts (
      tenant_id text not null,
      id bigint generated always as identity primary key,
      envelope jsonb not null,
      published_at timestamptz not null default now()
    );
    ${ownerOnlySql(name, 'subscriptions', owner)}
    ${ownerOnlySql(name, 'broadcasts', owner)}
    ${publishSql(
      schema,
      `
      insert into ${name}.pending_events (tenant_id, consumer_group, ordering_key, envelope)
        select e ->> 'tenantId', s.consumer_group, e ->> 'orderingKey', e
        from jsonb_array_elements(p_envelopes) with ordinality as item (e, n)
        join ${name}.subscriptions s on s.type = e ->> 'type' and s.delivery = 'group'
        order by n;
      if found and p_notify then perform pg_notify('${name}_pending', ''); end if;
      with kept as (
        insert into ${name}.broadcasts (tenant_id, envelope)
          select e ->> 'tenantId', e from jsonb_array_elements(p_envelopes) as e
          where exists (select from ${name}.subscriptions s where s.type = e ->> 'type' and s.delivery = 'broadcast')
          returning id
      )
      select count(pg_notify('${name}_broadcast', id::text)) into v_count from kept;`,
    )}`;
}
