import type { ConnectionId, ContactId, ConversationId } from '../../packages/contracts/src/index.ts';
import type { SqlSession } from '../../packages/db/src/index.ts';

/**
 * For a transaction that adds a portion to tables that grow from nothing while it does so again and again: every statement is planned for the tables as
 * they are now, and reaches rows by their keys. A plan made while they were empty reads all of them, for each row.
 */
export function planByKeys(sql: SqlSession): void {
  sql.enqueue(`select set_config(name, value, true) from (values ('plan_cache_mode', 'force_custom_plan'), ('enable_seqscan', 'off'), ('enable_hashjoin', 'off'), ('enable_mergejoin', 'off')) as settings(name, value)`);
}

/** A contact by the form of its number that is compared, and the connection that it writes on. */
export type Place = { readonly contactKey: string; readonly channel: ConnectionId };

export type FoundConversation = { readonly contactId: ContactId | null; readonly conversationId: ConversationId | null; readonly isMapped: boolean };

/**
 * What is there of each place, in their order. One look-up by unique key a place, as scalar sub-selects: for a join, or for `any` of a thousand, the
 * planner may read all rows of the tenant, once for every portion. A mapping's connection is compared as an expression, which has no index: the index of a
 * connection's mappings finds all of them.
 */
export async function findConversations(sql: SqlSession, places: readonly Place[], desk: ConnectionId): Promise<FoundConversation[]> {
  return await sql.query<FoundConversation>(
    `select contact_id as "contactId", conversation_id as "conversationId", (select true from mappings m where m.conversation_id = f.conversation_id and m.connection_id || '' = $3) is not null as "isMapped"
       from (
         select position, contact_id, (select v.conversation_id from conversations v where v.channel_connection_id = k.channel and v.contact_id = k.contact_id) as conversation_id
           from (
             select position, channel, (select a.contact_id from contact_aliases a where a.provider = 'whatsapp' and a.match_key = p.contact_key) as contact_id
               from unnest($1::text[], $2::text[]) with ordinality as p(contact_key, channel, position) offset 0
           ) k offset 0
       ) f order by position`,
    [places.map(({ contactKey }) => contactKey), places.map(({ channel }) => channel), desk],
  );
}
