import { randomUUID } from 'node:crypto';
import { failureOf, type ChatwootWebhooks, type Target } from './chatwoot-webhooks.ts';
import { changedAttributesOf } from './changed-attributes.ts';
import { newToken, type ChatwootStore } from './chatwoot-store.ts';
import { Refused, refusal } from './refusals.ts';
import { renderLiquid } from './render-liquid.ts';
import { accountOf, accountSince4142, webhookMessage } from './render-message.ts';
import { contactOf, type Site } from './render-people.ts';
import { webhookConversation } from './render-conversation.ts';
import type { ChatwootContact, ChatwootContactInbox, ChatwootConversation, ChatwootDelivery, ChatwootInbox, ChatwootMessage, ChatwootStatus } from './rows.ts';
import { can } from './version-gates.ts';

/** `CONVERSATION_MESSAGE_PER_MINUTE_LIMIT`. */
const messagesPerMinute = 200;

const botEvents = new Set(['message_created', 'message_updated', 'conversation_opened', 'conversation_resolved', 'conversation_status_changed', 'conversation_updated', 'webwidget_triggered']);
const inboxEvents = new Set(['conversation_created', 'conversation_status_changed', 'conversation_updated', 'message_created', 'message_updated', 'webwidget_triggered', 'conversation_typing_on', 'conversation_typing_off']);

export type MessageDraft = Pick<ChatwootMessage, 'type' | 'content' | 'senderType' | 'senderId'> & Partial<Pick<ChatwootMessage, 'contentType' | 'contentAttributes' | 'additionalAttributes' | 'private' | 'sourceId' | 'echoId' | 'attachments' | 'status'>>;
type ConversationChange = Partial<Pick<ChatwootConversation, 'status' | 'assigneeId' | 'assigneeBotId' | 'teamId' | 'labels' | 'customAttributes' | 'snoozedUntil' | 'waitingSince' | 'firstReplyAt' | 'priority' | 'agentLastSeenAt' | 'contactLastSeenAt'>>;
export type NewConversation = { readonly inbox: ChatwootInbox; readonly link: ChatwootContactInbox } & Partial<Pick<ChatwootConversation, 'status' | 'assigneeId' | 'customAttributes' | 'additionalAttributes' | 'snoozedUntil'>>;

/** What happens in an account, with all that follows from it: statuses, activity messages, webhooks. One for each call. */
export class ChatwootActions {
  readonly site: Site;
  private readonly store: ChatwootStore;
  private readonly webhooks: ChatwootWebhooks;
  private readonly now: () => Date;
  private readonly sent: Promise<ChatwootDelivery>[] = [];

  constructor(site: Site, webhooks: ChatwootWebhooks, now: () => Date) {
    this.site = site;
    this.store = site.store;
    this.webhooks = webhooks;
    this.now = now;
  }

  /** All webhooks of this call, once they were answered. */
  async settled(): Promise<ChatwootDelivery[]> {
    const deliveries: ChatwootDelivery[] = [];
    // A failure may send more while one waits.
    for (let done = 0; done < this.sent.length; done = deliveries.length) deliveries.push(...(await Promise.all(this.sent.slice(done))));
    return deliveries;
  }

  createConversation(given: NewConversation): ChatwootConversation {
    const { inbox, link } = given;
    const at = this.at();
    const contact = this.store.contact(inbox.accountId, link.contactId);
    const status: ChatwootStatus = contact?.blocked === true ? 'resolved' : inbox.botId !== null ? 'pending' : (given.status ?? 'open');
    const conversation: ChatwootConversation = {
      id: this.store.next('conversation'),
      displayId: this.store.next(`display-${inbox.accountId}`),
      uuid: randomUUID(),
      accountId: inbox.accountId,
      inboxId: inbox.id,
      contactId: link.contactId,
      sourceId: link.sourceId,
      status,
      assigneeId: given.assigneeId ?? null,
      assigneeBotId: null,
      teamId: null,
      labels: [],
      priority: null,
      customAttributes: given.customAttributes ?? {},
      additionalAttributes: given.additionalAttributes ?? {},
      snoozedUntil: given.snoozedUntil ?? null,
      waitingSince: at,
      firstReplyAt: null,
      agentLastSeenAt: null,
      contactLastSeenAt: null,
      lastActivityAt: at,
      createdAt: at,
      updatedAt: at,
    };
    this.store.putConversation(conversation);
    this.emitConversation('conversation_created', conversation);
    return conversation;
  }

  /** Throws Refused for the 201st message of a conversation in a minute. There is no check for messages that were there before. */
  addMessage(conversation: ChatwootConversation, draft: MessageDraft): ChatwootMessage {
    const now = this.now();
    const recent = this.store.messages(conversation).slice(-messagesPerMinute);
    if (draft.type !== 'activity' && recent.length === messagesPerMinute && now.getTime() - Date.parse(recent[0]?.createdAt ?? '') < 60_000) throw new Refused(refusal(422, 'Validation failed: Too many messages'));
    const at = now.toISOString();
    const isWritten = draft.type === 'outgoing' || draft.type === 'template';
    const message: ChatwootMessage = {
      id: this.store.next('message'),
      conversationId: conversation.displayId,
      inboxId: conversation.inboxId,
      contentType: 'text',
      contentAttributes: {},
      additionalAttributes: {},
      private: false,
      sourceId: null,
      echoId: null,
      status: 'sent',
      attachments: [],
      ...draft,
      content: isWritten && draft.content !== null ? renderLiquid(draft.content, this.drops(conversation)) : draft.content,
      createdAt: at,
      updatedAt: at,
    };
    this.store.putMessage(conversation, message);
    this.touch(conversation, at);
    if (message.type === 'activity') return message;
    if (message.type === 'incoming') this.reopen(conversation);
    this.emitMessage('message_created', conversation, message);
    this.afterMessage(conversation, message, at);
    return message;
  }

  updateMessage(conversation: ChatwootConversation, message: ChatwootMessage, change: Partial<ChatwootMessage>): ChatwootMessage {
    const changed: ChatwootMessage = { ...message, ...change, updatedAt: this.at() };
    this.store.putMessage(conversation, changed);
    this.emitMessage('message_updated', conversation, changed);
    return changed;
  }

  /** The conversation after the change; nothing goes out when nothing changed. */
  change(conversation: ChatwootConversation, change: ConversationChange, activity?: string): ChatwootConversation {
    const before = this.fresh(conversation);
    const after: ChatwootConversation = { ...before, ...change, updatedAt: this.at() };
    this.store.putConversation(after);
    const changed = changedAttributesOf(before, after);
    if (changed.length === 0) return after;
    if (activity !== undefined) this.addMessage(after, { type: 'activity', content: activity, senderType: null, senderId: null });
    if (before.status !== after.status) {
      if (after.status === 'open' || after.status === 'resolved') this.emitConversation(`conversation_${after.status === 'open' ? 'opened' : 'resolved'}`, after);
      // The code passes a change that is saved already: null (contract, section 1.4).
      this.emitConversation('conversation_status_changed', after, { changed_attributes: null });
    }
    this.emitConversation('conversation_updated', after, { changed_attributes: changed });
    return after;
  }

  typing(conversation: ChatwootConversation, isOn: boolean, user: Record<string, unknown>, isPrivate: boolean): void {
    this.emit(isOn ? 'conversation_typing_on' : 'conversation_typing_off', conversation, () => ({ user, conversation: webhookConversation(this.site, this.fresh(conversation), this.now()), is_private: isPrivate, ...accountSince4142(this.site, conversation) }));
  }

  /** Fires for every change of a contact; it names no inbox. */
  contactChanged(event: 'contact_created' | 'contact_updated', contact: ChatwootContact): void {
    for (const target of this.accountTargets(contact.accountId, event)) {
      this.sent.push(this.webhooks.send(this.site, contact.accountId, 'contacts', target, event, () => ({ ...contactOf(contact), account: { id: contact.accountId, name: this.store.account(contact.accountId)?.name }, ...(event === 'contact_updated' ? { changed_attributes: [] } : {}) })));
    }
  }

  /** The link of a contact and an inbox; undefined when the source id is another contact's. */
  linkContact(inbox: ChatwootInbox, contactId: number, sourceId: string = randomUUID()): ChatwootContactInbox | undefined {
    const known = this.store.contactInbox(inbox.id, sourceId);
    if (known !== undefined) return known.contactId === contactId ? known : undefined;
    const link = { id: this.store.next('contact_inbox'), contactId, inboxId: inbox.id, sourceId, pubsubToken: newToken(), createdAt: this.at() };
    this.store.putContactInbox(link);
    return link;
  }

  /** With `lock_to_single_conversation` the last one there is, else undefined. */
  lockedConversation(inbox: ChatwootInbox, link: ChatwootContactInbox): ChatwootConversation | undefined {
    return inbox.lockToSingleConversation ? this.store.conversations(inbox.accountId).findLast((conversation) => conversation.inboxId === inbox.id && conversation.sourceId === link.sourceId) : undefined;
  }

  private reopen(conversation: ChatwootConversation): void {
    const { status, inboxId } = this.fresh(conversation);
    if (status === 'resolved') this.change(conversation, { status: (this.store.inbox(inboxId)?.botId ?? null) === null ? 'open' : 'pending' });
    else if (status === 'snoozed') this.change(conversation, { status: 'open', snoozedUntil: null });
  }

  private afterMessage(conversation: ChatwootConversation, message: ChatwootMessage, at: string): void {
    const { waitingSince, firstReplyAt } = this.fresh(conversation);
    if (message.type === 'incoming') {
      if (waitingSince === null) this.change(conversation, { waitingSince: at });
      const contact = this.store.contact(conversation.accountId, conversation.contactId);
      if (contact === undefined) return;
      const seen = { ...contact, lastActivityAt: at };
      this.store.putContact(seen);
      this.contactChanged('contact_updated', seen);
    } else if (message.type === 'outgoing' && !message.private && message.senderType === 'User') {
      this.change(conversation, { waitingSince: null, firstReplyAt: firstReplyAt ?? at });
    }
  }

  private emitMessage(event: 'message_created' | 'message_updated', conversation: ChatwootConversation, message: ChatwootMessage): void {
    const build = () => {
      const current = this.fresh(conversation);
      return { ...webhookMessage(this.site, current, this.store.message(current, message.id) ?? message), conversation: webhookConversation(this.site, current, this.now()) };
    };
    this.emit(event, conversation, build, message);
  }

  private emitConversation(event: string, conversation: ChatwootConversation, extra: Record<string, unknown> = {}): void {
    this.emit(event, conversation, () => ({ ...webhookConversation(this.site, this.fresh(conversation), this.now()), ...extra }));
  }

  private emit(event: string, conversation: ChatwootConversation, build: () => Record<string, unknown>, message?: ChatwootMessage): void {
    const inbox = this.store.inbox(conversation.inboxId);
    const lane = String(conversation.displayId);
    const send = (target: Target, written: () => Record<string, unknown>) => this.webhooks.send(this.site, conversation.accountId, lane, target, event, written);
    if (botEvents.has(event)) {
      // Written inside the request that caused the event, unlike the others.
      const body = build();
      for (const target of this.botTargets(conversation, inbox)) this.sent.push(send(target, () => body).then((delivery) => this.afterBot(conversation, delivery, message)));
    }
    for (const target of this.accountTargets(conversation.accountId, event)) this.sent.push(send(target, build));
    if (inbox?.type === 'api' && inbox.webhookUrl && inboxEvents.has(event)) {
      this.sent.push(send({ surface: 'inbox', url: inbox.webhookUrl, secret: inbox.secret }, build).then((delivery) => this.afterInbox(conversation, delivery, message)));
    }
  }

  private accountTargets(accountId: number, event: string): Target[] {
    // Chatwoot Cloud's free plan delivers none of these, silently.
    if (this.store.account(accountId)?.plan === 'free') return [];
    return this.store.webhooks(accountId).filter(({ subscriptions }) => subscriptions.includes(event)).map(({ url, secret }) => ({ surface: 'account', url, secret }));
  }

  private botTargets(conversation: ChatwootConversation, inbox: ChatwootInbox | undefined): Target[] {
    const ids = new Set([inbox?.botId ?? null, this.fresh(conversation).assigneeBotId]);
    return [...ids].flatMap((id) => {
      const bot = this.store.bot(id);
      return bot?.outgoingUrl ? [{ surface: 'bot' as const, url: bot.outgoingUrl, secret: bot.secret }] : [];
    });
  }

  /** No second try: the message has failed, in the agent's eyes too. */
  private afterInbox(conversation: ChatwootConversation, delivery: ChatwootDelivery, message: ChatwootMessage | undefined): ChatwootDelivery {
    const error = failureOf(delivery);
    const current = message && this.store.message(conversation, message.id);
    if (error === undefined || current === undefined) return delivery;
    // Said once: the change would else announce itself to the same deaf address for ever.
    if (current.status !== 'failed') this.updateMessage(conversation, current, { status: 'failed', contentAttributes: { ...current.contentAttributes, external_error: error } });
    return delivery;
  }

  private afterBot(conversation: ChatwootConversation, delivery: ChatwootDelivery, message: ChatwootMessage | undefined): ChatwootDelivery {
    const { store } = this;
    const isKept = store.account(conversation.accountId)?.keepPendingOnBotFailure === true || !can(store.server.version, 'botFailureOpens');
    if (message === undefined || failureOf(delivery) === undefined || isKept || this.fresh(conversation).status !== 'pending') return delivery;
    this.change(conversation, { status: 'open' }, 'Conversation was marked open by system due to an error with the agent bot.');
    return delivery;
  }

  private touch(conversation: ChatwootConversation, at: string): void {
    this.store.putConversation({ ...this.fresh(conversation), lastActivityAt: at, updatedAt: at });
  }

  private fresh(conversation: ChatwootConversation): ChatwootConversation {
    return this.store.conversation(conversation.accountId, conversation.displayId) ?? conversation;
  }

  private drops(conversation: ChatwootConversation): Record<string, unknown> {
    const contact = this.store.contact(conversation.accountId, conversation.contactId);
    return {
      contact: { name: contact?.name, email: contact?.email, phone_number: contact?.phoneNumber },
      conversation: { display_id: conversation.displayId },
      inbox: { name: this.store.inbox(conversation.inboxId)?.name },
      account: accountOf(this.site, conversation),
    };
  }

  private at(): string {
    return this.now().toISOString();
  }
}
