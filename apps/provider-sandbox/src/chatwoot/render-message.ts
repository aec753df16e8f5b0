import type { ChatwootStore } from './chatwoot-store.ts';
import { contactOf, conversationSender, seconds, type Site } from './render-people.ts';
import type { ChatwootAttachment, ChatwootConversation, ChatwootMessage } from './rows.ts';
import { can } from './version-gates.ts';

/** REST and nested messages carry the type as a number, webhooks as text at their top level. */
const typeNumbers = { incoming: 0, outgoing: 1, activity: 2, template: 3 } as const;

/** A message as the Application API answers it. */
export function restMessage(site: Site, conversation: ChatwootConversation, message: ChatwootMessage): Record<string, unknown> {
  return {
    id: message.id,
    content: message.content,
    inbox_id: message.inboxId,
    ...(message.echoId === null ? {} : { echo_id: message.echoId }),
    conversation_id: conversation.displayId,
    message_type: typeNumbers[message.type],
    content_type: message.contentType,
    status: message.status,
    content_attributes: message.contentAttributes,
    created_at: seconds(message.createdAt),
    private: message.private,
    source_id: message.sourceId,
    ...withSender(site, conversation, message),
    ...withAttachments(site, conversation, message),
  };
}

/** A message inside a conversation: more columns, other types of the same ones. */
export function nestedMessage(site: Site, conversation: ChatwootConversation, message: ChatwootMessage): Record<string, unknown> {
  return {
    id: message.id,
    content: message.content,
    account_id: conversation.accountId,
    inbox_id: message.inboxId,
    conversation_id: conversation.displayId,
    message_type: typeNumbers[message.type],
    created_at: seconds(message.createdAt),
    updated_at: message.updatedAt,
    private: message.private,
    status: message.status,
    source_id: message.sourceId,
    content_type: message.contentType,
    content_attributes: message.contentAttributes,
    sender_type: message.senderType,
    sender_id: message.senderId,
    external_source_ids: {},
    additional_attributes: message.additionalAttributes,
    processed_message_content: message.content,
    sentiment: {},
    conversation: {
      assignee_id: conversation.assigneeId,
      unread_count: unreadCount(site.store, conversation),
      last_activity_at: seconds(conversation.lastActivityAt),
      contact_inbox: { source_id: conversation.sourceId },
    },
    ...withSender(site, conversation, message),
    ...withAttachments(site, conversation, message),
  };
}

/** The top level of message_created and message_updated: no status, no updated_at, no echo_id. */
export function webhookMessage(site: Site, conversation: ChatwootConversation, message: ChatwootMessage): Record<string, unknown> {
  const { store } = site;
  const contact = message.senderType === 'Contact' ? store.contact(conversation.accountId, message.senderId ?? 0) : undefined;
  const user = message.senderType === 'User' ? store.user(message.senderId) : undefined;
  const bot = message.senderType === 'AgentBot' ? store.bot(message.senderId) : undefined;
  const account = accountOf(site, conversation);
  return {
    id: message.id,
    account,
    additional_attributes: message.additionalAttributes,
    content_attributes: message.contentAttributes,
    content_type: message.contentType,
    // Editor breaks and trailing newlines are stripped (webhook_content_normalizer.rb).
    content: message.content?.replaceAll('\\\n', '\n').replace(/\n+$/, '') ?? null,
    created_at: message.createdAt,
    inbox: { id: message.inboxId, name: store.inbox(message.inboxId)?.name },
    message_type: message.type,
    private: message.private,
    sender: contact
      ? { ...contactOf(contact), account }
      : user
        ? { id: user.id, name: user.name, email: user.email, type: 'user' }
        : bot
          ? { id: bot.id, name: bot.name, type: 'agent_bot' }
          : null,
    source_id: message.sourceId,
    ...withAttachments(site, conversation, message),
  };
}

export function accountOf({ store }: Site, conversation: ChatwootConversation): Record<string, unknown> {
  return { id: conversation.accountId, name: store.account(conversation.accountId)?.name };
}

/** `account` of conversation and typing payloads; older servers have none there. */
export function accountSince4142(site: Site, conversation: ChatwootConversation): Record<string, unknown> {
  return can(site.store.server.version, 'accountInPayloads') ? { account: accountOf(site, conversation) } : {};
}

export function unreadCount(store: ChatwootStore, conversation: ChatwootConversation): number {
  const seen = conversation.agentLastSeenAt;
  return store.messages(conversation).filter(({ type, createdAt }) => type === 'incoming' && (seen === null || createdAt > seen)).length;
}

function withSender(site: Site, conversation: ChatwootConversation, message: ChatwootMessage): Record<string, unknown> {
  const sender = conversationSender(site, conversation.accountId, message.senderType, message.senderId);
  return sender === undefined ? {} : { sender };
}

/** The key is absent when there is none. */
function withAttachments(site: Site, conversation: ChatwootConversation, message: ChatwootMessage): Record<string, unknown> {
  return message.attachments.length === 0 ? {} : { attachments: message.attachments.map((attachment) => attachmentOf(site, conversation, message, attachment)) };
}

function attachmentOf(site: Site, conversation: ChatwootConversation, message: ChatwootMessage, attachment: ChatwootAttachment): Record<string, unknown> {
  const family = attachment.contentType.split('/')[0] ?? '';
  const isMedia = ['image', 'audio', 'video'].includes(family);
  const url = blobUrl(site, attachment.blob, attachment.fileName);
  return {
    id: attachment.id,
    message_id: message.id,
    account_id: conversation.accountId,
    file_type: isMedia ? family : 'file',
    extension: attachment.fileName.includes('.') ? (attachment.fileName.split('.').at(-1) ?? null) : null,
    content_type: attachment.contentType,
    file_size: attachment.size,
    width: null,
    height: null,
    data_url: url,
    thumb_url: family === 'image' ? url.replace('/blobs/', '/representations/') : '',
  };
}

export function blobUrl(site: Site, blob: string, fileName: string): string {
  return `${site.baseUrl}/rails/active_storage/blobs/redirect/${blob}/${encodeURIComponent(fileName)}`;
}
