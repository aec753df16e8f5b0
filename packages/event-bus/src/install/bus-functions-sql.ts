import type { BusSchema } from '../bus-schema.ts';

/**
 * `record_inbox(group, event id[, pending id])`: called inside the transaction of the effect, as the event's tenant. True: the effect is
 * this caller's to make. False: it was made already (or the pending row is gone, because another process has settled it).
 * With a pending id the row leaves `pending_events` in the same transaction: effect, inbox and completion are one commit.
 */
export function recordInboxSql({ name }: BusSchema): string {
  return `
    create or replace function ${name}.record_inbox(p_group text, p_event_id text, p_pending_id bigint default null) returns boolean
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
    declare
      v_tenant text := nullif(current_setting('app.tenant_id', true), '');
    begin
      if v_tenant is null then
        raise exception 'record_inbox needs a tenant' using errcode = 'insufficient_privilege';
      end if;
      if p_pending_id is not null then
        delete from ${name}.pending_events where id = p_pending_id and tenant_id = v_tenant;
        if not found then return false; end if;
      end if;
      insert into ${name}.inbox (tenant_id, consumer_group, event_id) values (v_tenant, p_group, p_event_id) on conflict do nothing;
      return found;
    end $$;`;
}

/**
 * `publish(array of envelopes)`: with the caller's transaction. In a tenant's scope it takes that tenant's envelopes only.
 * `insertSql` puts the envelopes of `p_envelopes` where the driver finds them, in the order given.
 */
export function publishSql({ name }: BusSchema, insertSql: string): string {
  return `
    create or replace function ${name}.publish(p_envelopes jsonb) returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
    declare
      v_tenant text := nullif(current_setting('app.tenant_id', true), '');
      v_count bigint;
    begin
      if v_tenant is not null and exists (select from jsonb_array_elements(p_envelopes) as e where e ->> 'tenantId' is distinct from v_tenant) then
        raise exception 'an envelope of another tenant' using errcode = 'insufficient_privilege';
      end if;
      ${insertSql}
    end $$;`;
}
