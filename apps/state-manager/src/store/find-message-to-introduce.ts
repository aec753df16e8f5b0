import type { ConnectionId, ConversationId, MessageContent, MessageId } from '@switchboard/contracts';
import type { SqlSession } from '@switchboard/db';
import { currentTenant } from '@switchboard/tenant-context';

/** What the contact last said, unless this connection has had it; queued for delivery there. */
export async function findMessageToIntroduce(
  sql: SqlSession,
  conversationId: ConversationId,
  connectionId: ConnectionId,
  now: Date,
): Promise<{ messageId: MessageId; content: MessageContent; sentAt: Date } | undefined> {
  const [row] = await sql.query<{ message_id: MessageId; content: MessageContent; sent_at: Date }>(
    `with last as (
       select message_id, content, sent_at from messages where conversation_id = $2 and author = 'contact' and kind <> 'reaction' order by position desc limit 1
     ), delivery as (
       insert into deliveries (tenant_id, message_id, connection_id, conversation_id, status, rank, at)
       select $1, last.message_id, $3, $2, 'queued', 0, $4 from last
       on conflict (tenant_id, message_id, connection_id) do nothing returning message_id
     )
     select last.* from last join delivery using (message_id)`,
    [currentTenant(), conversationId, connectionId, now],
  );
  return row === undefined ? undefined : { messageId: row.message_id, content: row.content, sentAt: row.sent_at };
}
