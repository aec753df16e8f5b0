import type { ConnectionId, ConversationId, ProviderId } from '@switchboard/contracts';
import type { SqlSession } from '@switchboard/db';
import { conversationColumns, toConversationRecord, type ConversationRecord, type ConversationRow } from './conversation-record.ts';

/*
 * Keys found in one table are compared in the next as values (`any(array(…))`, a scalar sub-select), not joined: every index starts with the
 * tenant, and for a join the planner may take that alone, which reads all rows of the tenant while a table has no statistics yet.
 */

/**
 * `change` locks the conversation until the transaction ends: whatever key an event came by, events of one conversation take their turn. The
 * lock's wait leaves the counterparts as they were before it; who needs one that is missing asks for it (`ensureCounterpart`).
 */
export type Intent = 'change' | 'read';

const locks: Record<Intent, string> = { change: 'for update of c', read: '' };

export async function findConversation(sql: SqlSession, conversationId: ConversationId, intent: Intent): Promise<ConversationRecord | undefined> {
  return first(sql, `select ${conversationColumns} from conversations c where c.conversation_id = $1 ${locks[intent]}`, [conversationId]);
}

/** By any key of the contact, on this channel connection. Keys of two contacts that turn out to be one: the older one's, of those that have a conversation here. */
export async function findConversationOfContact(sql: SqlSession, provider: ProviderId, channelConnectionId: ConnectionId, keys: readonly string[], intent: Intent): Promise<ConversationRecord | undefined> {
  return first(
    sql,
    `select ${conversationColumns}
     from conversations c
     where c.channel_connection_id = $2
       and c.contact_id = any(array(select k.contact_id from contact_aliases k where k.provider = $1 and k.match_key = any($3)))
     order by c.contact_id limit 1
     ${locks[intent]}`,
    [provider, channelConnectionId, keys],
  );
}

/** By the contact's address at a desk or bot, else by that side's own conversation id. */
export async function findConversationOfCounterpart(
  sql: SqlSession,
  { connectionId, contactAddress, providerConversationId }: { connectionId: ConnectionId; contactAddress: string; providerConversationId: string | undefined },
  intent: Intent,
): Promise<ConversationRecord | undefined> {
  return first(
    sql,
    `select ${conversationColumns}
     from conversations c
     where c.conversation_id = coalesce(
       (select k.conversation_id from mappings k where k.connection_id = $1 and k.contact_address = $2),
       (select k.conversation_id from mappings k where k.connection_id = $1 and k.provider_conversation_id = $3 order by k.conversation_id desc limit 1))
     ${locks[intent]}`,
    [connectionId, contactAddress, providerConversationId ?? null],
  );
}

/** The conversation of a contact that is mapped, on whichever channel connection of the provider; the one last active where there are several. */
export async function findMappedConversation(sql: SqlSession, provider: ProviderId, keys: readonly string[]): Promise<ConversationRecord | undefined> {
  return first(
    sql,
    `select ${conversationColumns}
     from conversations c
     where c.contact_id = any(array(select k.contact_id from contact_aliases k where k.provider = $1 and k.match_key = any($2)))
       and c.channel_provider = $1 and exists (select from mappings m where m.conversation_id = c.conversation_id)
     order by c.last_activity_at desc, c.conversation_id limit 1`,
    [provider, keys],
  );
}

async function first(sql: SqlSession, text: string, values: readonly unknown[]): Promise<ConversationRecord | undefined> {
  const [row] = await sql.query<ConversationRow>(text, values);
  return row === undefined ? undefined : toConversationRecord(row);
}
