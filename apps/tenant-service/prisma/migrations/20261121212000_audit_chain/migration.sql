-- The audit becomes a chain: every entry holds the hash of the one before, and the head of each tenant's chain is kept beside it.

-- CreateTable
CREATE TABLE "audit_heads" (
    "tenant_id" TEXT NOT NULL,
    "sequence" BIGINT NOT NULL,
    "hash" TEXT NOT NULL,

    CONSTRAINT "audit_heads_pkey" PRIMARY KEY ("tenant_id")
);

-- AlterTable
ALTER TABLE "audit_entries" ADD COLUMN     "actor_subject" TEXT NOT NULL DEFAULT '',
ADD COLUMN     "after" JSONB,
ADD COLUMN     "before" JSONB,
ADD COLUMN     "from_address" TEXT,
ADD COLUMN     "hash" TEXT,
ADD COLUMN     "previous_hash" TEXT,
ADD COLUMN     "sequence" BIGINT;

select switchboard.protect_tenant_table('tenant.audit_heads');
-- The trigger alone moves the head: who can append cannot rewrite.
revoke insert, update, delete on tenant.audit_heads from switchboard_tenant;

-- SHA-256 over every column but itself. A field is its length in bytes, a colon, its text, a comma (or "-," for none): no two rows give the same bytes.
-- src/domain/audit-chain.ts computes the same from the outside; a change here breaks every chain there is.
create function tenant.audit_hash(entry tenant.audit_entries) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select encode(sha256(convert_to(string_agg(coalesce(octet_length(field) || ':' || field, '-') || ',', '' order by position), 'UTF8')), 'hex')
  from unnest(array[
    entry.tenant_id, entry.sequence::text, entry.previous_hash, entry.audit_id, to_char(entry.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    entry.actor, entry.actor_subject, entry.from_address, entry.action, entry.subject, entry.facts::text, entry.before::text, entry.after::text
  ]) with ordinality as fields (field, position)
$$;

-- What older versions wrote is chained in the order of its ids, which sort by time. Their only callers were the platform's key and the hub itself.
-- The owner, who migrates, is under the policies too, and sees nothing until they are put aside; nobody else gets in meanwhile.
lock table tenant.audit_entries in access exclusive mode;
alter table tenant.audit_entries no force row level security;
alter table tenant.audit_heads no force row level security;
update tenant.audit_entries set actor_subject = case actor when 'admin' then 'admin-key' else actor end;
do $$
declare
  entry tenant.audit_entries;
  head tenant.audit_heads;
begin
  for entry in select * from tenant.audit_entries order by tenant_id, audit_id loop
    if head.tenant_id is distinct from entry.tenant_id then
      if head.tenant_id is not null then insert into tenant.audit_heads values (head.tenant_id, head.sequence, head.hash); end if;
      head := (entry.tenant_id, 0, repeat('0', 64));
    end if;
    entry.sequence := head.sequence + 1;
    entry.previous_hash := head.hash;
    entry.hash := tenant.audit_hash(entry);
    update tenant.audit_entries e set sequence = entry.sequence, previous_hash = entry.previous_hash, hash = entry.hash where e.tenant_id = entry.tenant_id and e.audit_id = entry.audit_id;
    head.sequence := entry.sequence;
    head.hash := entry.hash;
  end loop;
  if head.tenant_id is not null then insert into tenant.audit_heads values (head.tenant_id, head.sequence, head.hash); end if;
end $$;
alter table tenant.audit_entries force row level security;
alter table tenant.audit_heads force row level security;

-- AlterTable
ALTER TABLE "audit_entries" ALTER COLUMN "hash" SET NOT NULL,
ALTER COLUMN "previous_hash" SET NOT NULL,
ALTER COLUMN "sequence" SET NOT NULL;

-- CreateIndex
CREATE UNIQUE INDEX "audit_entries_tenant_id_sequence_key" ON "audit_entries"("tenant_id", "sequence");

-- The owner's functions below work on the tenant of the transaction, as everything does.
create policy owner on tenant.audit_heads for all to switchboard_tenant_owner
  using (tenant_id = (select current_setting('app.tenant_id', true))) with check (tenant_id = (select current_setting('app.tenant_id', true)));
create policy owner on tenant.audit_entries for all to switchboard_tenant_owner
  using (tenant_id = (select current_setting('app.tenant_id', true))) with check (tenant_id = (select current_setting('app.tenant_id', true)));
create policy owner on tenant.tenants for all to switchboard_tenant_owner
  using (tenant_id = (select current_setting('app.tenant_id', true))) with check (tenant_id = (select current_setting('app.tenant_id', true)));

-- Appending takes the head of the tenant's chain until the transaction ends: two entries of one tenant follow each other, those of two tenants do not.
-- An insert that may skip a row (on conflict do nothing) must not be used on this table: the head would have moved for nothing.
create function tenant.chain_audit_entry() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  head tenant.audit_heads;
begin
  insert into tenant.audit_heads values (new.tenant_id, 0, repeat('0', 64)) on conflict do nothing;
  select * into strict head from tenant.audit_heads where tenant_id = new.tenant_id for update;
  new.sequence := head.sequence + 1;
  new.previous_hash := head.hash;
  new.hash := tenant.audit_hash(new);
  update tenant.audit_heads set sequence = new.sequence, hash = new.hash where tenant_id = new.tenant_id;
  return new;
end $$;
create trigger chain before insert on tenant.audit_entries for each row execute function tenant.chain_audit_entry();

-- The one way to remove entries: of a tenant that is deleted, all at once. Returns how many there were, and what the chain ended with.
create function tenant.erase_audit(out entries bigint, out hash text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if not exists (select from tenant.tenants where tenant_id = current_setting('app.tenant_id', true) and status = 'deleted') then
    raise exception 'The audit of a tenant that is not deleted cannot be erased.' using errcode = 'insufficient_privilege';
  end if;
  delete from tenant.audit_heads where tenant_id = current_setting('app.tenant_id', true) returning sequence, audit_heads.hash into entries, hash;
  delete from tenant.audit_entries where tenant_id = current_setting('app.tenant_id', true);
end $$;
revoke execute on function tenant.erase_audit() from public;
grant execute on function tenant.erase_audit() to switchboard_tenant;
