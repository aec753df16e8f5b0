import type { BusSchema } from '../bus-schema.ts';

/** What `record_effect` raises when the effect was made already. */
export const effectTakenState = 'SB001';

/**
 * They are called inside the transaction of an effect, as the event's tenant, and return nothing, so that they travel with the effect's first
 * statement. With a pending id the row leaves `pending_events` in the same transaction: effect, inbox and completion are one commit.
 * - `record_effect(group, event id[, pending id])`: the effect is this transaction's to make. Raises `SB001` when it was made already (or
 *   the pending row is gone, because another process has settled it).
 * - `remove_pending(pending id)`: for a consumer without inbox.
 * - `note_erased(service, counts by table)`: what this transaction deletes of a tenant that is being erased.
 */
export function recordEffectSql({ name }: BusSchema): string {
  return `
    drop function if exists ${name}.record_inbox(text, text, bigint);
    create or replace function ${name}.record_effect(p_group text, p_event_id text, p_pending_id bigint default null) returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
    declare
      v_tenant text := nullif(current_setting('app.tenant_id', true), '');
    begin
      if v_tenant is null then
        raise exception 'record_effect needs a tenant' using errcode = 'insufficient_privilege';
      end if;
      if p_pending_id is not null then
        delete from ${name}.pending_events where id = p_pending_id and tenant_id = v_tenant;
        if not found then raise exception 'the event is settled' using errcode = '${effectTakenState}'; end if;
      end if;
      insert into ${name}.inbox (tenant_id, consumer_group, event_id) values (v_tenant, p_group, p_event_id) on conflict do nothing;
      if not found then raise exception 'the event has taken effect' using errcode = '${effectTakenState}'; end if;
    end $$;
    create or replace function ${name}.remove_pending(p_pending_id bigint) returns void
    language sql security definer set search_path = pg_catalog, pg_temp as $$
      delete from ${name}.pending_events where id = p_pending_id and tenant_id = nullif(current_setting('app.tenant_id', true), '');
    $$;
    create or replace function ${name}.note_erased(p_service text, p_rows jsonb) returns void
    language sql security definer set search_path = pg_catalog, pg_temp as $$
      update ${name}.erased_tenants
         set rows = rows || (select coalesce(jsonb_object_agg(key, value::bigint + coalesce((rows ->> key)::bigint, 0)), '{}') from jsonb_each_text(p_rows))
       where service = p_service and tenant_hash = encode(sha256(convert_to(nullif(current_setting('app.tenant_id', true), ''), 'UTF8')), 'hex');
    $$;`;
}

/**
 * `publish(array of envelopes[, notify])`: with the caller's transaction. In a tenant's scope it takes that tenant's envelopes only. Without
 * `notify` the reader is not told: it is the caller's own process.
 * `insertSql` puts the envelopes of `p_envelopes` where the driver finds them, in the order given.
 */
export function publishSql({ name }: BusSchema, insertSql: string): string {
  return `
    drop function if exists ${name}.publish(jsonb);
    create or replace function ${name}.publish(p_envelopes jsonb, p_notify boolean default true) returns void
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
