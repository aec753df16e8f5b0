import { instantOf, type Connections, type RunClient } from '@switchboard/connector-kit';
import { getRoutesInternal, hubError, listChatwootConversations, type ChatwootConversationRecord, type ConnectionId, type ConnectionWithSecrets } from '@switchboard/contracts';
import { defineRoute, type CallRoute, type Route } from '@switchboard/service-kit';
import { conversationStatuses, listConversations } from '../api/conversations.ts';
import { pacedEgress, type EgressPace } from '../api/paced-egress.ts';
import type { ChatwootConversation, ChatwootMessage } from '../api/replies.ts';
import { roomOf } from '../room.ts';

export type ListConversationsDeps = EgressPace & { readonly callRoute: CallRoute; readonly connections: Pick<Connections, 'load'>; readonly runClient: RunClient };

/** Asks Chatwoot for each of the tenant's inboxes by its number, and looks at the number again in what comes: an account may be many tenants'. */
export function listChatwootConversationsRoute(deps: ListConversationsDeps): Route {
  return defineRoute(listChatwootConversations, async ({ query: { status, page, cursor, connectionId } }) => {
    const number = page ?? Number(cursor ?? 1);
    const connections = await ownConnections(connectionId, deps);
    const pages = await Promise.all(
      connections.map((connection) =>
        deps.runClient(connection, async ({ egress }) => {
          const room = roomOf(connection, pacedEgress(egress, deps));
          const { conversations, isFull } = await listConversations(room.admin, { inboxId: room.inboxId, status, page: number, sortBy: 'last_activity_at_desc' });
          return { isFull, data: conversations.map((conversation) => recordOf(conversation, connection.connectionId)) };
        }),
      ),
    );
    const data = pages.flatMap((one) => one.data).toSorted((a, b) => (b.lastActivityAt ?? '').localeCompare(a.lastActivityAt ?? ''));
    return { data, nextCursor: pages.some(({ isFull }) => isFull) ? String(number + 1) : null };
  });
}

/** tenant-service names the connections of the caller's tenant and no others. */
async function ownConnections(only: ConnectionId | undefined, { callRoute, connections }: ListConversationsDeps): Promise<ConnectionWithSecrets[]> {
  const known = await callRoute('tenant-service', getRoutesInternal, {});
  const own = known.connections.filter(({ provider, status, connectionId }) => provider === 'chatwoot' && status === 'active' && (only === undefined || only === connectionId));
  if (only !== undefined && own.length === 0) throw hubError('connection.not_found');
  return Promise.all(own.map(({ connectionId }) => connections.load(connectionId)));
}

function recordOf(conversation: ChatwootConversation, connectionId: ConnectionId): ChatwootConversationRecord {
  const { meta, messages, labels, status, unread_count: unreadCount } = conversation;
  const { sender, assignee } = meta ?? {};
  const last = messages?.findLast((message) => message.private !== true);
  return {
    id: String(conversation.id),
    connectionId,
    inboxId: String(conversation.inbox_id),
    status: conversationStatuses.find((known) => known === status) ?? 'open',
    contact: { id: sender ? String(sender.id) : null, name: sender?.name ?? null, phone: sender?.phone_number ?? null, email: sender?.email ?? null, identifier: sender?.identifier ?? null },
    assignee: assignee ? { id: String(assignee.id), name: assignee.name ?? null } : null,
    labels: labels ?? [],
    unreadCount: Math.max(0, Math.trunc(unreadCount ?? 0)),
    lastMessage: last === undefined ? null : { id: String(last.id), author: authorOf(last), text: last.content ?? '', at: instantOf(last.created_at) ?? null },
    createdAt: instantOf(conversation.created_at) ?? null,
    lastActivityAt: instantOf(conversation.last_activity_at) ?? null,
  };
}

function authorOf({ message_type: type, sender, sender_type: senderType }: ChatwootMessage): 'contact' | 'agent' | 'bot' | 'system' {
  if (type === 'incoming') return 'contact';
  if (type === 'activity') return 'system';
  return sender?.type === 'user' || senderType === 'User' ? 'agent' : 'bot';
}
