import type { Author, ConversationId, MessageContent } from '@switchboard/contracts';
import type { SqlSession } from '@switchboard/db';
import type { Said } from '../domain/transcript.ts';

/** The last messages of a conversation, newest first. */
export async function readLastSaid(sql: SqlSession, conversationId: ConversationId, limit: number): Promise<Said[]> {
  const rows = await sql.query<{ author: Author; content: MessageContent; sent_at: Date }>(
    'select author, content, sent_at from messages where conversation_id = $1 order by position desc limit $2',
    [conversationId, limit],
  );
  return rows.map(({ author, content, sent_at: sentAt }) => ({ author, content, sentAt }));
}
