import type { SqlSession } from '@switchboard/db';
import { currentTenant } from '@switchboard/tenant-context';
import { stableAddress } from '../domain/contact-keys.ts';
import type { ConversationRecord } from './conversation-record.ts';

/** What the channel calls the conversation now: kept in a mapping that names the channel itself. With the next statement, and only when it is new. */
export function learnChannelConversation(sql: SqlSession, { conversationId, channel, contact, channelConversationId }: ConversationRecord, providerConversationId: string): void {
  if (channelConversationId === providerConversationId) return;
  const values = [conversationId, channel.connectionId, providerConversationId];
  sql.enqueue('insert into mappings (tenant_id, conversation_id, connection_id, provider_conversation_id, contact_address) values ($4, $1, $2, $3, $5) on conflict do nothing', [
    ...values, currentTenant(), stableAddress(channel.provider, contact.address),
  ]);
  sql.enqueue('update mappings set provider_conversation_id = $3 where conversation_id = $1 and connection_id = $2 and provider_conversation_id is distinct from $3', values);
}
