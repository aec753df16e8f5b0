import type { ConversationId, ConversationView, MappingView } from '@switchboard/contracts';
import type { SqlSession } from '@switchboard/db';
import { conversationColumns, toConversationRecord, type ConversationRecord, type ConversationRow } from './conversation-record.ts';

export type ConversationQuery = { readonly limit: number; readonly before: string | undefined; readonly status: 'open' | 'closed' | undefined };

/** Newest first; `before` is the id that the page before ended with. */
export async function readConversations(sql: SqlSession, { limit, before, status }: ConversationQuery): Promise<ConversationRecord[]> {
  const rows = await sql.query<ConversationRow>(
    `select ${conversationColumns} from conversations c
     where ($1::text is null or c.status = $1) and ($2::text is null or c.conversation_id < $2)
     order by c.conversation_id desc limit $3`,
    [status ?? null, before ?? null, limit],
  );
  return rows.map((row) => toConversationRecord(row));
}

/** When the conversation was mapped, if it was. */
export async function readMappingTime(sql: SqlSession, conversationId: ConversationId): Promise<Date | undefined> {
  const [row] = await sql.query<{ created_at: Date | null }>('select min(created_at) as created_at from mappings where conversation_id = $1', [conversationId]);
  return row?.created_at ?? undefined;
}

export function toConversationView(conversation: ConversationRecord): ConversationView {
  const { standing, contact } = conversation;
  return {
    conversationId: conversation.conversationId,
    status: conversation.status,
    handler: conversation.handler,
    channel: { ...conversation.channel },
    contact: { ...contact, contactId: conversation.contactId },
    counterparts: conversation.counterparts.map((counterpart) => ({ ...counterpart })),
    messageCount: conversation.messageCount,
    lastInboundAt: instantOf(standing.lastInboundAt),
    lastActivityAt: new Date(standing.lastActivityAt).toISOString(),
    createdAt: conversation.createdAt.toISOString(),
    closedAt: conversation.status === 'closed' ? instantOf(standing.closedAt) : null,
  };
}

export function toMappingView(conversation: ConversationRecord, mappedAt: Date): MappingView {
  const { contact, channel } = conversation;
  return {
    waId: contact.aliases['waId'] ?? contact.aliases['wa_id'] ?? contact.address,
    contactName: contact.name ?? null,
    conversationId: conversation.conversationId,
    status: conversation.status,
    handler: conversation.handler,
    connectionId: channel.connectionId,
    contactId: conversation.contactId,
    counterparts: conversation.counterparts.map((counterpart) => ({ ...counterpart })),
    createdAt: mappedAt.toISOString(),
  };
}

function instantOf(milliseconds: number | null): string | null {
  return milliseconds === null ? null : new Date(milliseconds).toISOString();
}
