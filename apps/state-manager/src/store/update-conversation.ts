import type { ConversationId } from '@switchboard/contracts';
import type { SqlSession } from '@switchboard/db';
import type { Decision } from '../domain/decide.ts';
import { dateOf } from './store-message.ts';

/** Stores how a conversation stands after something that is no message. The caller holds its lock. */
export async function updateConversation(sql: SqlSession, conversationId: ConversationId, { standing, status, handler }: Decision): Promise<void> {
  await sql.query('update conversations set status = $2, handler = $3, last_activity_at = $4, closed_at = $5, handoff_at = $6, handoff_to = $7 where conversation_id = $1', [
    conversationId, status, handler, dateOf(standing.lastActivityAt), dateOf(standing.closedAt), dateOf(standing.handoff?.at ?? null), standing.handoff?.to ?? null,
  ]);
}
