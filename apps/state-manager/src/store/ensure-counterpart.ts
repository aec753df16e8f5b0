import { hubError, type ConnectionId } from '@switchboard/contracts';
import type { SqlSession } from '@switchboard/db';
import { currentTenant } from '@switchboard/tenant-context';
import type { ConversationRecord, Counterpart } from './conversation-record.ts';

/**
 * The conversation's counterpart at a desk or bot; made when there is none yet. The contact is known there by its stable channel address,
 * unless that contact writes on another channel too: each conversation keeps a thread of its own.
 */
export async function ensureCounterpart(sql: SqlSession, conversation: ConversationRecord, connectionId: ConnectionId, contactAddress: string): Promise<Counterpart> {
  const known = conversation.counterparts.find((counterpart) => counterpart.connectionId === connectionId);
  if (known !== undefined) return known;
  const { conversationId } = conversation;
  for (const address of [contactAddress, `${contactAddress}.${conversationId}`]) {
    await sql.query('insert into mappings (tenant_id, conversation_id, connection_id, contact_address) values ($1, $2, $3, $4) on conflict do nothing', [currentTenant(), conversationId, connectionId, address]);
    // Ours may be there although it was not inserted: made while we waited for the conversation.
    const [row] = await sql.query<{ contact_address: string; provider_conversation_id: string | null }>(
      'select contact_address, provider_conversation_id from mappings where conversation_id = $1 and connection_id = $2',
      [conversationId, connectionId],
    );
    if (row !== undefined) return { connectionId, contactAddress: row.contact_address, providerConversationId: row.provider_conversation_id };
  }
  throw hubError('internal', { detail: { reason: 'No address is free for the counterpart.', conversationId, connectionId } });
}
