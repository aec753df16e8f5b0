import type { ChatwootStore } from './chatwoot-store.ts';
import type { ChatwootBot, ChatwootContact, ChatwootInbox, ChatwootUser, SenderType } from './rows.ts';
import { can } from './version-gates.ts';

/** A server as its own pages see it; `baseUrl` is what Chatwoot calls FRONTEND_URL. */
export type Site = { readonly store: ChatwootStore; readonly baseUrl: string };

export const seconds = (iso: string): number => Math.floor(Date.parse(iso) / 1000);
export const secondsOrZero = (iso: string | null): number => (iso === null ? 0 : seconds(iso));

/** A contact in a webhook's top level: without a `type`. */
export function contactOf(contact: ChatwootContact): Record<string, unknown> {
  return {
    additional_attributes: contact.additionalAttributes,
    avatar: '',
    custom_attributes: contact.customAttributes,
    email: contact.email,
    id: contact.id,
    identifier: contact.identifier,
    name: contact.name,
    phone_number: contact.phoneNumber,
    thumbnail: '',
    blocked: contact.blocked,
  };
}

/** Who said something, in `meta.sender`, nested messages and REST answers: with a `type`. */
export function conversationSender({ store }: Site, accountId: number, type: SenderType | null, id: number | null): Record<string, unknown> | undefined {
  if (type === 'Contact') {
    const contact = store.contact(accountId, id ?? 0);
    if (contact === undefined) return undefined;
    const { avatar: _avatar, ...rest } = contactOf(contact);
    return { ...rest, type: 'contact' };
  }
  if (type === 'User') {
    const user = store.user(id);
    return user && userOf(user);
  }
  const bot = type === 'AgentBot' ? store.bot(id) : undefined;
  return bot && { id: bot.id, name: bot.name, avatar_url: '', type: 'agent_bot' };
}

export function userOf(user: ChatwootUser): Record<string, unknown> {
  return { id: user.id, name: user.name, available_name: user.name, avatar_url: '', type: 'user', availability_status: null, thumbnail: '' };
}

export function agentOf(user: ChatwootUser): Record<string, unknown> {
  return {
    id: user.id,
    account_id: user.accountId,
    availability_status: 'offline',
    auto_offline: true,
    confirmed: true,
    email: user.email,
    provider: 'email',
    available_name: user.name,
    name: user.name,
    role: user.role,
    thumbnail: '',
    custom_role_id: null,
  };
}

/** Only an administrator sees the secrets. */
export function botOf(store: ChatwootStore, bot: ChatwootBot, isAdministrator: boolean): Record<string, unknown> {
  return {
    id: bot.id,
    name: bot.name,
    description: bot.description,
    thumbnail: '',
    outgoing_url: bot.outgoingUrl,
    bot_type: 'webhook',
    bot_config: bot.botConfig,
    account_id: bot.accountId,
    ...(isAdministrator ? { access_token: bot.accessToken } : {}),
    ...(isAdministrator && can(store.server.version, 'signsInboxWebhooks') ? { secret: bot.secret } : {}),
    system_bot: false,
  };
}

export function inboxOf({ store, baseUrl }: Site, inbox: ChatwootInbox, isAdministrator: boolean): Record<string, unknown> {
  const base = {
    id: inbox.id,
    avatar_url: '',
    channel_id: inbox.id,
    name: inbox.name,
    channel_type: channelOf(inbox),
    greeting_enabled: false,
    greeting_message: null,
    working_hours_enabled: false,
    enable_email_collect: true,
    csat_survey_enabled: false,
    enable_auto_assignment: true,
    auto_assignment_config: {},
    out_of_office_message: null,
    timezone: 'UTC',
    allow_messages_after_resolved: true,
    ...inbox.settings,
    lock_to_single_conversation: inbox.lockToSingleConversation,
    sender_name_type: 'friendly',
    provider: null,
  };
  if (inbox.type === 'web_widget') {
    return {
      ...base,
      website_url: inbox.websiteUrl,
      website_token: inbox.websiteToken,
      hmac_mandatory: false,
      web_widget_script: `<script>window.chatwootSDK.run({ websiteToken: '${inbox.websiteToken}', baseUrl: '${baseUrl}' })</script>`,
      ...(isAdministrator ? { hmac_token: inbox.hmacToken } : {}),
    };
  }
  return {
    ...base,
    webhook_url: inbox.webhookUrl,
    inbox_identifier: inbox.identifier,
    additional_attributes: inbox.additionalAttributes,
    ...(isAdministrator ? { hmac_token: inbox.hmacToken, hmac_mandatory: false } : {}),
    ...(isAdministrator && can(store.server.version, 'signsInboxWebhooks') ? { secret: inbox.secret } : {}),
  };
}

export const channelOf = (inbox: ChatwootInbox): string => (inbox.type === 'api' ? 'Channel::Api' : 'Channel::WebWidget');

/** A contact as the Application API answers it, with the inboxes it is known in. */
export function restContact(site: Site, contact: ChatwootContact): Record<string, unknown> {
  const { store } = site;
  const links = store.linksOf(contact).flatMap(({ inboxId, sourceId }) => {
    const inbox = store.inbox(inboxId);
    return inbox ? [contactInboxOf(inbox, sourceId)] : [];
  });
  const { avatar: _avatar, ...rest } = contactOf(contact);
  return {
    ...rest,
    availability_status: 'offline',
    ...(contact.lastActivityAt === null ? {} : { last_activity_at: seconds(contact.lastActivityAt) }),
    created_at: seconds(contact.createdAt),
    contact_inboxes: links,
  };
}

export function contactInboxOf(inbox: ChatwootInbox, sourceId: string): Record<string, unknown> {
  return { source_id: sourceId, inbox: { id: inbox.id, avatar_url: '', channel_id: inbox.id, name: inbox.name, channel_type: channelOf(inbox), provider: null } };
}
