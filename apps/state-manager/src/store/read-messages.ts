import type { Author, ConnectionId, ConversationId, DeliveryError, DeliveryStatus, MessageContent, MessageId, MessageView } from '@switchboard/contracts';
import type { SqlSession } from '@switchboard/db';

export type MessageQuery = { readonly conversationId: ConversationId; readonly limit: number; readonly after: number };

/** Oldest first; `after` is the position that the page before ended with. */
export async function readMessages(sql: SqlSession, { conversationId, limit, after }: MessageQuery): Promise<MessageView[]> {
  const rows = await sql.query<Row>(`select ${columns} from messages m where m.conversation_id = $1 and m.position > $2 order by m.position limit $3`, [conversationId, after, limit]);
  return rows.map((row) => toView(row));
}

export async function readMessage(sql: SqlSession, messageId: MessageId): Promise<MessageView | undefined> {
  const [row] = await sql.query<Row>(`select ${columns} from messages m where m.message_id = $1`, [messageId]);
  return row === undefined ? undefined : toView(row);
}

export async function readMessageByIdempotencyKey(sql: SqlSession, idempotencyKey: string): Promise<MessageView | undefined> {
  const [row] = await sql.query<Row>(`select ${columns} from messages m where m.idempotency_key = $1`, [idempotencyKey]);
  return row === undefined ? undefined : toView(row);
}

const columns = `
  m.message_id, m.conversation_id, m.position, m.direction, m.author, m.content, m.connection_id, m.provider_message_id, m.reply_to_message_id, m.sent_at, m.created_at,
  (select coalesce(jsonb_agg(jsonb_build_object('connectionId', d.connection_id, 'status', d.status, 'error', d.error, 'sentInstead', d.sent_instead,
            'updatedAt', to_char(d.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) order by d.connection_id), '[]')
     from deliveries d where d.message_id = m.message_id) as deliveries`;

type Row = {
  readonly message_id: MessageId;
  readonly conversation_id: ConversationId;
  readonly position: number;
  readonly direction: 'inbound' | 'outbound';
  readonly author: Author;
  readonly content: MessageContent;
  readonly connection_id: ConnectionId | null;
  readonly provider_message_id: string | null;
  readonly reply_to_message_id: MessageId | null;
  readonly sent_at: Date;
  readonly created_at: Date;
  readonly deliveries: { connectionId: ConnectionId; status: DeliveryStatus; error: DeliveryError | null; sentInstead: MessageContent | null; updatedAt: string }[];
};

function toView(row: Row): MessageView {
  return {
    messageId: row.message_id,
    conversationId: row.conversation_id,
    position: row.position,
    direction: row.direction,
    author: row.author,
    content: row.content,
    connectionId: row.connection_id,
    providerMessageId: row.provider_message_id,
    replyToMessageId: row.reply_to_message_id,
    sentAt: row.sent_at.toISOString(),
    createdAt: row.created_at.toISOString(),
    deliveries: row.deliveries,
  };
}
