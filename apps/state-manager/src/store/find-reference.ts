import type { ConnectionId, MessageId } from '@switchboard/contracts';
import type { SqlSession } from '@switchboard/db';

/** A message that another one answers: ours, and its name at the provider the answer goes to. */
export type Reference = { readonly messageId: MessageId; readonly providerMessageId: string | null };

/** Finds what a provider calls `providerMessageId`, whether it came from there or was sent there, and what it is called at `target`. */
export async function findReference(sql: SqlSession, connectionId: ConnectionId, providerMessageId: string, target: ConnectionId | undefined): Promise<Reference | undefined> {
  return query(
    sql,
    `select m.message_id from messages m where m.connection_id = $1 and m.provider_message_id = $2
     union all select p.message_id from provider_messages p where p.connection_id = $1 and p.provider_message_id = $2 and p.message_id is not null limit 1`,
    [connectionId, providerMessageId, target ?? null],
    '$3',
  );
}

/** A message of ours, and what it is called at `target`. */
export async function findReferenceById(sql: SqlSession, conversationId: string, messageId: MessageId, target: ConnectionId): Promise<Reference | undefined> {
  return query(sql, 'select m.message_id from messages m where m.conversation_id = $1 and m.message_id = $2', [conversationId, messageId, target], '$3');
}

async function query(sql: SqlSession, original: string, values: readonly unknown[], target: string): Promise<Reference | undefined> {
  // Of a message that was split, the first part is the one to answer.
  const [row] = await sql.query<{ message_id: MessageId; provider_message_id: string | null }>(
    `with original as (${original})
     select o.message_id, coalesce(
       (select case when m.connection_id = ${target} then m.provider_message_id end from messages m where m.message_id = o.message_id),
       (select (array_agg(p.provider_message_id order by p.at, p.provider_message_id) filter (where p.connection_id = ${target}))[1] from provider_messages p where p.message_id = o.message_id)
     ) as provider_message_id
     from original o`,
    values,
  );
  return row === undefined ? undefined : { messageId: row.message_id, providerMessageId: row.provider_message_id };
}
