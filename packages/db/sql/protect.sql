-- What a migration calls after it made a table. Roles follow from the table's schema: switchboard_<schema> is the runtime role.
-- Runs as the caller (the schema's owner role), so it can protect only what that role owns.

create schema if not exists switchboard;

-- A table of tenant data: the runtime role sees and writes the rows of app.tenant_id alone. With system => true, the system role sees all.
create or replace function switchboard.protect_tenant_table(target regclass, system boolean default false) returns void
language plpgsql set search_path = pg_catalog as $$
declare
  schema_name text := (select n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = target);
  runtime text := 'switchboard_' || schema_name;
  first_column record;
begin
  select a.attname, a.atttypid::regtype::text as type, a.attnotnull into first_column
    from pg_attribute a where a.attrelid = target and a.attnum > 0 and not a.attisdropped order by a.attnum limit 1;
  if first_column.attname <> 'tenant_id' or first_column.type <> 'text' or not first_column.attnotnull then
    raise exception 'The first column of % must be "tenant_id text not null"; or call switchboard.protect_platform_table for a table without tenants.', target;
  end if;
  execute format('alter table %s enable row level security, force row level security', target);
  execute format('drop policy if exists tenant on %s', target);
  -- In a sub-select the setting is read once a query, not once a row.
  execute format(
    'create policy tenant on %s for all to %I using (tenant_id = (select current_setting(''app.tenant_id'', true))) with check (tenant_id = (select current_setting(''app.tenant_id'', true)))',
    target, runtime);
  execute format('grant select, insert, update, delete on %s to %I', target, runtime);
  perform switchboard.grant_sequences(target, runtime);
  if system then perform switchboard.open_to_system(target, runtime || '_system'); end if;
end $$;

-- A table without tenants (a quarantine, a relay's position): only the system role gets in.
create or replace function switchboard.protect_platform_table(target regclass) returns void
language plpgsql set search_path = pg_catalog as $$
declare
  schema_name text := (select n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = target);
begin
  execute format('alter table %s enable row level security, force row level security', target);
  perform switchboard.open_to_system(target, 'switchboard_' || schema_name || '_system');
end $$;

create or replace function switchboard.open_to_system(target regclass, system_role text) returns void
language plpgsql set search_path = pg_catalog as $$
begin
  execute format('drop policy if exists system on %s', target);
  execute format('create policy system on %s for all to %I using (true) with check (true)', target, system_role);
  execute format('grant select, insert, update, delete on %s to %I', target, system_role);
  perform switchboard.grant_sequences(target, system_role);
end $$;

-- Sequences of serial columns; identity columns need no grant.
create or replace function switchboard.grant_sequences(target regclass, role_name text) returns void
language plpgsql set search_path = pg_catalog as $$
declare
  sequence regclass;
begin
  for sequence in
    select d.objid::regclass from pg_depend d join pg_class c on c.oid = d.objid
    where d.refobjid = target and d.classid = 'pg_class'::regclass and d.deptype in ('a', 'i') and c.relkind = 'S'
  loop
    execute format('grant usage, select on sequence %s to %I', sequence, role_name);
  end loop;
end $$;
