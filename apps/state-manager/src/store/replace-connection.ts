import type { ConnectionId } from '@switchboard/contracts';
import type { SqlSession } from '@switchboard/db';
import { currentTenant } from '@switchboard/tenant-context';

export type Replacement = { readonly from: ConnectionId; readonly to: ConnectionId };

/** From now on what arrives by `from`, and is in no conversation there, belongs to `to`. */
export async function recordReplacement(sql: SqlSession, { from, to }: Replacement, now: Date): Promise<void> {
  // The way back ends the way there; who was replaced by `from` before is so by `to` now.
  sql.enqueue('delete from replaced_connections where connection_id = $1', [to]);
  sql.enqueue('update replaced_connections set replaced_by = $2 where replaced_by = $1', [from, to]);
  await sql.query(
    `insert into replaced_connections (tenant_id, connection_id, replaced_by, at) values ($1, $2, $3, $4)
     on conflict (tenant_id, connection_id) do update set replaced_by = excluded.replaced_by, at = excluded.at`,
    [currentTenant(), from, to, now],
  );
}

export async function findReplacement(sql: SqlSession, connectionId: ConnectionId): Promise<ConnectionId | undefined> {
  const [row] = await sql.query<{ replaced_by: ConnectionId }>('select replaced_by from replaced_connections where connection_id = $1', [connectionId]);
  return row?.replaced_by;
}

/** Moves so many conversations whose channel is `from`. Ids that `from` gave are of no use at `to`. Returns how many were moved; those whose contact has a conversation at `to` stay. */
export async function moveConversations(sql: SqlSession, { from, to }: Replacement, limit: number): Promise<number> {
  const [row] = await sql.query<{ moved: number }>(
    `with batch as (
       select c.conversation_id from conversations c
       where c.channel_connection_id = $1 and not exists (select from conversations o where o.channel_connection_id = $2 and o.contact_id = c.contact_id)
       order by c.conversation_id limit $3 for update of c
     ), moved as (
       update conversations c set channel_connection_id = $2, last_inbound_provider_message_id = null from batch where c.conversation_id = batch.conversation_id returning c.conversation_id
     ), unmapped as (
       delete from mappings m using moved where m.conversation_id = moved.conversation_id and m.connection_id = $1
     )
     select count(*)::int as moved from moved`,
    [from, to, limit],
  );
  return row?.moved ?? 0;
}

/** Makes so many counterparts at `from` known at `to`, under the same address. Returns how many; an address that another conversation has there is left out, and chosen when it is needed. */
export async function copyMappings(sql: SqlSession, { from, to }: Replacement, limit: number): Promise<number> {
  const rows = await sql.query(
    `insert into mappings (tenant_id, conversation_id, connection_id, contact_address)
     select $4, m.conversation_id, $2, m.contact_address from mappings m
     where m.connection_id = $1
       and not exists (select from conversations c where c.conversation_id = m.conversation_id and c.channel_connection_id in ($1, $2))
       and not exists (select from mappings k where k.connection_id = $2 and k.conversation_id = m.conversation_id)
       and not exists (select from mappings k where k.connection_id = $2 and k.contact_address = m.contact_address)
     order by m.conversation_id limit $3
     on conflict do nothing returning conversation_id`,
    [from, to, limit, currentTenant()],
  );
  return rows.length;
}

export async function countConversations(sql: SqlSession, connectionId: ConnectionId): Promise<number> {
  const [row] = await sql.query<{ count: number }>('select count(*)::int as count from conversations where channel_connection_id = $1', [connectionId]);
  return row?.count ?? 0;
}
