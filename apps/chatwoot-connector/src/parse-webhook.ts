import { parseJson, instantOf, type ConnectorWebhook, type InboundEvent, type PublicConnection } from '@switchboard/connector-kit';
import type { ContactRef, ContentOf, MessageReceived } from '@switchboard/contracts';
import { createHash } from 'node:crypto';
import { limited, parseContent } from './parse-content.ts';
import { conversationWebhookSchema, envelopeSchema, formWebhookSchema, messageWebhookSchema, submittedValuesSchema, typingWebhookSchema, type ChatwootEnvelope, type ConversationWebhook, type MessageWebhook } from './wire.ts';

/**
 * What a webhook of Chatwoot says of the connection's inbox. Pure; any JSON is answered, at worst with `ignored`. What the hub wrote itself
 * carries `hub_ref` and comes back as an echo; what agents write for each other (private notes) says nothing to the hub.
 */
export function parseWebhook(webhook: ConnectorWebhook, connection: PublicConnection): InboundEvent[] {
  const body = parseJson(webhook.body);
  const envelope = envelopeSchema.safeParse(body).data;
  if (envelope === undefined) return [ignored('not a webhook of Chatwoot')];
  const foreign = foreignTo(envelope, connection);
  if (foreign !== undefined) return [ignored(foreign)];
  const setting = { body, webhook, connection };
  switch (envelope.event) {
    case 'message_created':
      return parseMessage(setting);
    case 'message_updated':
      return [parseUpdate(setting)];
    case 'conversation_status_changed':
    case 'conversation_updated':
      return [parseConversation(setting)];
    case 'conversation_typing_on':
    case 'conversation_typing_off':
      return [parseTyping(setting, envelope.event === 'conversation_typing_on')];
    case undefined:
    case null:
      return [parseForm(setting)];
    default:
      return [ignored(`event ${limited(envelope.event, 64)}`)];
  }
}

type Setting = { readonly body: unknown; readonly webhook: ConnectorWebhook; readonly connection: PublicConnection };

function ignored(reason: string): InboundEvent {
  return { kind: 'ignored', reason };
}

/** Ingest gives each connection its own; this holds even if it did not. */
function foreignTo({ account, inbox, inbox_id: inboxId, conversation, contact_inbox: contactInbox }: ChatwootEnvelope, { settings }: PublicConnection): string | undefined {
  const accountIds = [account?.id, conversation?.account?.id];
  if (accountIds.some((id) => typeof id === 'number' && String(id) !== settings['accountId'])) return 'another account';
  const inboxIds = [inbox?.id, inboxId, conversation?.inbox_id, conversation?.contact_inbox?.inbox_id, contactInbox?.inbox_id].filter((id) => typeof id === 'number');
  if (inboxIds.length === 0) return 'no inbox is named';
  return inboxIds.some((id) => String(id) !== settings['inboxId']) ? 'another inbox' : undefined;
}

function parseMessage({ body, webhook, connection }: Setting): InboundEvent[] {
  const message = messageWebhookSchema.safeParse(body).data;
  if (message === undefined) return [ignored('a message of an unknown form')];
  const said = heard(message, connection);
  if (said.kind === 'ignored') return [said];
  const common = { kind: 'message', contact: said.contact, author: said.author, sentAt: instantOf(message.created_at) ?? webhook.receivedAt, ...inConversation(message.conversation.id) } as const;
  const replyTo = message.content_attributes?.['in_reply_to'];
  return parseContent(message).map((parsed, index) => ({
    ...common,
    providerMessageId: index === 0 ? String(message.id) : `${message.id}:${index}`,
    ...parsed,
    ...(typeof replyTo === 'number' ? { replyToProviderMessageId: String(replyTo) } : {}),
  }));
}

/** Who speaks to the hub in a message, if anybody does (contract, section 4, "Loop rules"). */
function heard(message: MessageWebhook, { role }: PublicConnection): { readonly kind: 'said'; readonly contact: ContactRef; readonly author: MessageReceived['author'] } | Extract<InboundEvent, { kind: 'ignored' }> {
  if (message.private === true) return { kind: 'ignored', reason: 'a private note' };
  if (isOwn(message)) return { kind: 'ignored', reason: 'echo of our own message' };
  const contact = contactOf(message.conversation);
  if (contact === undefined) return { kind: 'ignored', reason: 'a message without a contact' };
  switch (message.message_type) {
    case 'incoming':
      return role === 'channel' ? { kind: 'said', contact, author: 'contact' } : { kind: 'ignored', reason: 'a message of the contact that the desk itself received' };
    case 'outgoing':
    case 'template':
      return { kind: 'said', contact, author: isHuman(message.sender) ? 'agent' : 'bot' };
    default:
      return { kind: 'ignored', reason: 'an activity' };
  }
}

/** `hub_ref` is on everything the hub writes; the source id, on what it writes for contacts, survives an agent's "retry", which wipes attributes. */
function isOwn({ content_attributes: attributes, source_id: sourceId }: Pick<MessageWebhook, 'content_attributes' | 'source_id'>): boolean {
  return attributes?.['hub_ref'] !== undefined || (sourceId?.startsWith('msg_') ?? false);
}

/** Automation rules, greetings, surveys have no sender; bots and Chatwoot's own assistant say their type. */
function isHuman(sender: MessageWebhook['sender']): boolean {
  return sender !== undefined && sender !== null && (sender.type === 'user' || (sender.type ?? '') === '');
}

/** A visitor's click on a choice comes as a change of the question (contract, 1.5), which may well be our own. */
function parseUpdate({ body, webhook, connection }: Setting): InboundEvent {
  const message = messageWebhookSchema.safeParse(body).data;
  if (message === undefined) return ignored('a changed message of an unknown form');
  if (message.content_attributes?.['deleted'] === true) return ignored('a message was deleted at Chatwoot');
  const submitted = submittedValuesSchema.safeParse(message.content_attributes).data?.submitted_values[0];
  const contact = contactOf(message.conversation);
  if (submitted === undefined || contact === undefined || message.private === true || connection.role !== 'channel') return ignored('a change of a message');
  const value = typeof submitted.value === 'string' ? submitted.value : (JSON.stringify(submitted.value) ?? '');
  if (message.content_type === 'input_csat') return ignored('an answer to a survey');
  return {
    kind: 'message',
    // Telling the same click twice is one message; a second thought is another.
    providerMessageId: `${message.id}:answer:${digest(value)}`,
    contact,
    author: 'contact',
    content: { kind: 'choice_reply', optionId: value, title: submitted.title || value },
    replyToProviderMessageId: String(message.id),
    // The change itself has no time: `created_at` is the question's.
    sentAt: webhook.receivedAt,
    ...inConversation(message.conversation.id),
  };
}

/** An agent resolves a conversation: it goes back to the bot. A person takes one that was the bot's: it is the desk's. */
function parseConversation({ body, webhook, connection }: Setting): InboundEvent {
  const conversation = conversationWebhookSchema.safeParse(body).data;
  const contact = conversation && contactOf(conversation);
  if (conversation === undefined || contact === undefined) return ignored('a conversation without a contact');
  const handoff = handoffOf(conversation, connection);
  if (handoff === undefined) return ignored(`a conversation became ${limited(conversation.status ?? 'something else', 32)}`);
  const { name, ...content } = handoff;
  return {
    kind: 'message',
    providerMessageId: `${name}:${conversation.id}:${conversation.updated_at ?? digest(webhook.body)}`,
    contact,
    author: 'agent',
    content,
    sentAt: instantOf(conversation.updated_at) ?? webhook.receivedAt,
    ...inConversation(conversation.id),
  };
}

function handoffOf(conversation: ConversationWebhook, { role, settings }: PublicConnection): (ContentOf<'handoff'> & { readonly name: string }) | undefined {
  const { event, status, meta } = conversation;
  if (event === 'conversation_status_changed') {
    if (status === 'resolved') return { name: 'resolved', kind: 'handoff', to: 'bot', reason: 'an agent resolved the conversation' };
    // With a bot at the inbox a contact's message makes a conversation pending, never open (contract, 4): whoever opened it was a person, or the
    // server, because the bot could not be reached. Without one every message opens it, and that says nothing.
    if (status === 'open' && role === 'channel' && settings['botId'] !== undefined) return { name: 'opened', kind: 'handoff', to: 'desk', reason: 'the conversation was opened for agents' };
    return undefined;
  }
  // At a desk the conversation is the agents' whoever has it.
  if (role !== 'channel' || status === 'resolved') return undefined;
  const assigned = conversation.changed_attributes?.some((changed) => typeof changed['assignee_id']?.current_value === 'number');
  const isToHuman = meta?.assignee !== undefined && meta.assignee !== null && (meta.assignee_type ?? 'User') === 'User';
  return assigned === true && isToHuman ? { name: 'assigned', kind: 'handoff', to: 'desk', reason: 'an agent was assigned' } : undefined;
}

/** At a desk only its people's typing says anything: the contact's is what the hub showed there. */
function parseTyping({ body, webhook, connection }: Setting, on: boolean): InboundEvent {
  const typing = typingWebhookSchema.safeParse(body).data;
  const contact = typing && contactOf(typing.conversation);
  if (typing === undefined || contact === undefined || typing.is_private === true) return ignored('typing that is nobody\'s concern');
  const isAgent = typing.user?.type === 'user';
  const isBot = typing.user?.type !== undefined && typing.user.type !== null && !isAgent && typing.user.type !== 'contact';
  if (isBot || (!isAgent && connection.role !== 'channel')) return ignored('echo of our own typing');
  return {
    kind: 'message',
    providerMessageId: `typing:${digest(`${webhook.receivedAt} ${webhook.body}`)}`,
    contact,
    author: isAgent ? 'agent' : 'contact',
    content: { kind: 'typing', on },
    sentAt: webhook.receivedAt,
    ...inConversation(typing.conversation.id),
  };
}

/** The published form: no event, no message id, perhaps no source id. The contact is then known by its conversation. */
function parseForm({ body, webhook, connection }: Setting): InboundEvent {
  const form = formWebhookSchema.safeParse(body).data;
  if (form === undefined) return ignored('neither an event nor a message');
  if (form.content.trim() === '') return ignored('a message without words');
  if (connection.role !== 'channel') return ignored('a message of the contact that the desk itself received');
  const conversationId = form.conversation.id;
  const contact = contactOf(form.conversation) ?? (typeof conversationId === 'number' ? { address: `conversation-${conversationId}`, aliases: {} } : undefined);
  if (contact === undefined) return ignored('a message without a contact');
  return {
    kind: 'message',
    providerMessageId: typeof form.id === 'number' ? String(form.id) : `form:${digest(`${webhook.receivedAt} ${webhook.body}`)}`,
    contact,
    author: 'contact',
    content: { kind: 'text', text: form.content },
    sentAt: instantOf(form.created_at) ?? webhook.receivedAt,
    ...inConversation(conversationId),
  };
}

function contactOf({ contact_inbox: contactInbox, meta }: { readonly contact_inbox?: ChatwootEnvelope['contact_inbox']; readonly meta?: ConversationWebhook['meta'] }): ContactRef | undefined {
  const address = contactInbox?.source_id;
  if (!address) return undefined;
  const name = meta?.sender?.name;
  return { address, ...(name ? { name } : {}), aliases: {} };
}

function inConversation(id: number | null | undefined): { readonly providerConversationId?: string } {
  return typeof id === 'number' ? { providerConversationId: String(id) } : {};
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
