import type { BusSchema } from '../bus-schema.ts';

/**
 * Tables both drivers use. Nobody but the owner has rights on them; the services reach them through their functions only.
 * Row-level security is on with one policy for the owner, so that a right granted by mistake still shows nothing.
 *
 * - `inbox`: which group has taken effect of which event. Unique, so that the second of two attempts finds the first.
 * - `pending_events`: events waiting in order for a consumer group. A lane is (tenant_id, consumer_group, ordering_key); the lowest id of a
 *   lane is its head, and a head with `retry_at` in the future holds its lane back; `waiting_since` bounds for how long. Embedded: all events pass through. Kafka: those that
 *   failed beyond the quick retries, those of the same lane that follow them, and redriven dead letters.
 * - `erased_tenants`: which service has erased whom, by a hash of the id; `rows` counts what it deleted, `settled_at` says that nobody works on who did not know.
 * - `dead_letters`: `seq` is the order in which they failed, which within a lane is their order on the bus.
 */
export function busTablesSql({ name, owner }: BusSchema): string {
  return `
    create table if not exists ${name}.inbox (
      tenant_id text not null,
      consumer_group text not null,
      event_id text not null,
      handled_at timestamptz not null default now(),
      primary key (tenant_id, consumer_group, event_id)
    );
    create index if not exists inbox_handled_at on ${name}.inbox using brin (handled_at);

    create table if not exists ${name}.pending_events (
      tenant_id text not null,
      id bigint generated always as identity primary key,
      consumer_group text not null,
      ordering_key text not null,
      envelope jsonb not null,
      attempts integer not null default 0,
      waiting_since timestamptz not null default now(),
      retry_at timestamptz,
      last_error text
    ) with (
      -- A queue: rows live for milliseconds. Scaled thresholds would let the dead ones pile up before the live ones.
      autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0
    );
    alter table ${name}.pending_events add column if not exists waiting_since timestamptz not null default now();
    create index if not exists pending_events_tenant on ${name}.pending_events (tenant_id, id);

    create table if not exists ${name}.dead_letters (
      tenant_id text not null,
      id text not null,
      seq bigint generated always as identity,
      consumer_group text not null,
      ordering_key text not null,
      envelope jsonb not null,
      error_code text not null,
      error_message text not null,
      attempts integer not null,
      failed_at timestamptz not null default now(),
      primary key (tenant_id, id)
    );
    create index if not exists dead_letters_seq on ${name}.dead_letters (tenant_id, seq);
    create table if not exists ${name}.erased_tenants (
      service text not null,
      tenant_hash text not null,
      event_id text not null,
      erased_at timestamptz not null,
      settled_at timestamptz,
      revived_at timestamptz,
      changed_at timestamptz not null default clock_timestamp(),
      rows jsonb not null default '{}',
      primary key (service, tenant_hash)
    );
    create index if not exists erased_tenants_changed on ${name}.erased_tenants (service, changed_at);
    ${['inbox', 'pending_events', 'dead_letters', 'erased_tenants'].map((table) => ownerOnlySql(name, table, owner)).join('')}`;
}

/** Forced row-level security that lets the owner alone in. */
export function ownerOnlySql(schema: string, table: string, owner: string): string {
  return `
    alter table ${schema}.${table} enable row level security;
    alter table ${schema}.${table} force row level security;
    drop policy if exists owner_only on ${schema}.${table};
    create policy owner_only on ${schema}.${table} to ${owner} using (true) with check (true);`;
}
