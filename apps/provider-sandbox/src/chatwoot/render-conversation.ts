import { accountSince4142, nestedMessage, restMessage, unreadCount } from './render-message.ts';
import { channelOf, conversationSender, seconds, secondsOrZero, userOf, type Site } from './render-people.ts';
import type { ChatwootConversation, ChatwootMessage } from './rows.ts';

/** Milliseconds in an hour. */
const hourMs = 3_600_000;

/** A conversation in a webhook; `messages` holds the latest non-activity, non-private message at this moment, whichever the event is about. */
export function webhookConversation(site: Site, conversation: ChatwootConversation, now: Date): Record<string, unknown> {
  const { store } = site;
  const inbox = store.inbox(conversation.inboxId);
  const link = store.contactInbox(conversation.inboxId, conversation.sourceId);
  const latest = latestSaid(store.messages(conversation));
  return {
    ...accountSince4142(site, conversation),
    additional_attributes: conversation.additionalAttributes,
    can_reply: canReply(site, conversation, now),
    channel: inbox && channelOf(inbox),
    contact_inbox: link && {
      id: link.id,
      contact_id: link.contactId,
      inbox_id: link.inboxId,
      source_id: link.sourceId,
      hmac_verified: false,
      pubsub_token: link.pubsubToken,
      created_at: link.createdAt,
      updated_at: link.createdAt,
    },
    id: conversation.displayId,
    inbox_id: conversation.inboxId,
    messages: latest ? [nestedMessage(site, conversation, latest)] : [],
    labels: conversation.labels,
    meta: metaOf(site, conversation),
    status: conversation.status,
    custom_attributes: conversation.customAttributes,
    snoozed_until: conversation.snoozedUntil,
    unread_count: unreadCount(store, conversation),
    first_reply_created_at: conversation.firstReplyAt,
    priority: conversation.priority,
    waiting_since: secondsOrZero(conversation.waitingSince),
    agent_last_seen_at: secondsOrZero(conversation.agentLastSeenAt),
    contact_last_seen_at: secondsOrZero(conversation.contactLastSeenAt),
    last_activity_at: seconds(conversation.lastActivityAt),
    timestamp: seconds(conversation.lastActivityAt),
    created_at: seconds(conversation.createdAt),
    updated_at: Date.parse(conversation.updatedAt) / 1000,
  };
}

/** A conversation as the Application API answers it: `account_id` instead of an account, no contact_inbox. */
export function restConversation(site: Site, conversation: ChatwootConversation, now: Date): Record<string, unknown> {
  const { store } = site;
  const inbox = store.inbox(conversation.inboxId);
  const latest = latestSaid(store.messages(conversation));
  const { assignee, ...meta } = metaOf(site, conversation);
  return {
    meta: { ...meta, channel: inbox && channelOf(inbox), ...(assignee === null ? {} : { assignee }) },
    id: conversation.displayId,
    messages: latest ? [nestedMessage(site, conversation, latest)] : [],
    account_id: conversation.accountId,
    uuid: conversation.uuid,
    additional_attributes: conversation.additionalAttributes,
    agent_last_seen_at: secondsOrZero(conversation.agentLastSeenAt),
    assignee_last_seen_at: 0,
    can_reply: canReply(site, conversation, now),
    contact_last_seen_at: secondsOrZero(conversation.contactLastSeenAt),
    custom_attributes: conversation.customAttributes,
    inbox_id: conversation.inboxId,
    labels: conversation.labels,
    muted: false,
    snoozed_until: conversation.snoozedUntil,
    status: conversation.status,
    created_at: seconds(conversation.createdAt),
    updated_at: Date.parse(conversation.updatedAt) / 1000,
    timestamp: seconds(conversation.lastActivityAt),
    first_reply_created_at: secondsOrZero(conversation.firstReplyAt),
    unread_count: unreadCount(store, conversation),
    last_non_activity_message: latest ? restMessage(site, conversation, latest) : null,
    last_activity_at: seconds(conversation.lastActivityAt),
    priority: conversation.priority,
    waiting_since: secondsOrZero(conversation.waitingSince),
  };
}

export function metaOf(site: Site, conversation: ChatwootConversation): Record<string, unknown> {
  const { store } = site;
  const user = store.user(conversation.assigneeId);
  const bot = store.bot(conversation.assigneeBotId);
  return {
    sender: conversationSender(site, conversation.accountId, 'Contact', conversation.contactId),
    assignee: user ? userOf(user) : bot ? { id: bot.id, name: bot.name, avatar_url: '', type: 'agent_bot' } : null,
    assignee_type: user ? 'User' : bot ? 'AgentBot' : null,
    team: conversation.teamId === null ? null : { id: conversation.teamId, name: `team ${conversation.teamId}` },
    hmac_verified: false,
  };
}

function canReply({ store }: Site, conversation: ChatwootConversation, now: Date): boolean {
  const hours = Number(store.inbox(conversation.inboxId)?.additionalAttributes['agent_reply_time_window']);
  if (!(hours > 0)) return true;
  const last = store.messages(conversation).findLast(({ type }) => type === 'incoming');
  return last !== undefined && now.getTime() - Date.parse(last.createdAt) < hours * hourMs;
}

function latestSaid(messages: readonly ChatwootMessage[]): ChatwootMessage | undefined {
  return messages.findLast(({ type, private: isPrivate }) => type !== 'activity' && !isPrivate);
}
