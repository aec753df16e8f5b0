import { randomBytes } from 'node:crypto';
import type { SandboxState } from '../sandbox-state.ts';
import type { ChatwootAccount, ChatwootBot, ChatwootContact, ChatwootContactInbox, ChatwootConversation, ChatwootInbox, ChatwootMessage, ChatwootServer, ChatwootToken, ChatwootUser, ChatwootWebhook } from './rows.ts';

export const newToken = (): string => randomBytes(18).toString('base64url').replaceAll(/[-_]/g, 'x');

/** The rows of one Chatwoot server. Ids are counted per server, display ids per account, as the real one does. */
export class ChatwootStore {
  readonly server: ChatwootServer;
  private readonly state: SandboxState;

  constructor(state: SandboxState, server: ChatwootServer) {
    this.state = state;
    this.server = server;
  }

  next(sequence: string): number {
    const key = `${this.server.name}|${sequence}`;
    const last = (this.state.get('chatwootSequence', key)?.last ?? 0) + 1;
    this.state.put('chatwootSequence', key, { last });
    return last;
  }

  /** A sequence goes on behind an id that somebody chose. */
  skipTo(sequence: string, id: number): void {
    const key = `${this.server.name}|${sequence}`;
    if (id > (this.state.get('chatwootSequence', key)?.last ?? 0)) this.state.put('chatwootSequence', key, { last: id });
  }

  account(id: number): ChatwootAccount | undefined {
    return this.state.get('chatwootAccount', this.key(id));
  }
  putAccount(account: ChatwootAccount): void {
    this.state.put('chatwootAccount', this.key(account.id), account);
  }

  user(id: number | null): ChatwootUser | undefined {
    return id === null ? undefined : this.state.get('chatwootUser', this.key(id));
  }
  users(accountId: number): ChatwootUser[] {
    return this.state.inGroup('chatwootUser', this.server.name).filter((user) => user.accountId === accountId);
  }
  putUser(user: ChatwootUser): void {
    this.state.put('chatwootUser', this.key(user.id), user);
  }

  token(token: string): ChatwootToken | undefined {
    return this.state.get('chatwootToken', this.key(token));
  }
  putToken(token: string, owner: ChatwootToken): void {
    this.state.put('chatwootToken', this.key(token), owner);
  }
  removeToken(token: string): void {
    this.state.remove('chatwootToken', this.key(token));
  }

  bot(id: number | null): ChatwootBot | undefined {
    return id === null ? undefined : this.state.get('chatwootBot', this.key(id));
  }
  bots(accountId: number): ChatwootBot[] {
    return this.state.inGroup('chatwootBot', this.server.name).filter((bot) => bot.accountId === accountId);
  }
  putBot(bot: ChatwootBot): void {
    this.state.put('chatwootBot', this.key(bot.id), bot);
  }
  removeBot(id: number): void {
    this.state.remove('chatwootBot', this.key(id));
  }

  inbox(id: number): ChatwootInbox | undefined {
    return this.state.get('chatwootInbox', this.key(id));
  }
  inboxes(accountId: number): ChatwootInbox[] {
    return this.state.inGroup('chatwootInbox', this.server.name).filter((inbox) => inbox.accountId === accountId);
  }
  inboxOfIdentifier(identifier: string): ChatwootInbox | undefined {
    return this.state.inGroup('chatwootInbox', this.server.name).find((inbox) => inbox.identifier === identifier);
  }
  putInbox(inbox: ChatwootInbox): void {
    this.state.put('chatwootInbox', this.key(inbox.id), inbox);
  }
  removeInbox(inbox: ChatwootInbox): void {
    for (const conversation of this.conversations(inbox.accountId)) {
      if (conversation.inboxId !== inbox.id) continue;
      for (const message of this.messages(conversation)) this.state.remove('chatwootMessage', this.messageKey(conversation, message.id));
      this.state.remove('chatwootConversation', this.key(conversation.displayId, conversation.accountId));
    }
    for (const link of this.contactInboxesOf(inbox.id)) {
      this.state.remove('chatwootContactInbox', this.key(link.sourceId, inbox.id));
      this.state.remove('chatwootContactLink', this.key(link.id, link.contactId));
    }
    this.state.remove('chatwootInbox', this.key(inbox.id));
  }

  contact(accountId: number, id: number): ChatwootContact | undefined {
    return this.state.get('chatwootContact', this.key(id, accountId));
  }
  contacts(accountId: number): ChatwootContact[] {
    return this.state.inGroup('chatwootContact', `${this.server.name}/${accountId}`);
  }
  putContact(contact: ChatwootContact): void {
    this.state.put('chatwootContact', this.key(contact.id, contact.accountId), contact);
  }

  contactInbox(inboxId: number, sourceId: string): ChatwootContactInbox | undefined {
    return this.state.get('chatwootContactInbox', this.key(sourceId, inboxId));
  }
  contactInboxesOf(inboxId: number): ChatwootContactInbox[] {
    return this.state.inGroup('chatwootContactInbox', `${this.server.name}/${inboxId}`);
  }
  /** In any inbox of any account of the server. */
  contactInboxNamed(sourceId: string): ChatwootContactInbox | undefined {
    return this.state.all('chatwootContactInbox').find((link) => link.sourceId === sourceId && this.contactInbox(link.inboxId, sourceId)?.id === link.id);
  }
  linksOf(contact: ChatwootContact): ChatwootContactInbox[] {
    return this.state.inGroup('chatwootContactLink', `${this.server.name}/${contact.id}`);
  }
  /** Kept twice: a big account asks for a contact's links with every contact it shows. */
  putContactInbox(link: ChatwootContactInbox): void {
    this.state.put('chatwootContactInbox', this.key(link.sourceId, link.inboxId), link);
    this.state.put('chatwootContactLink', this.key(link.id, link.contactId), link);
  }

  conversation(accountId: number, displayId: number): ChatwootConversation | undefined {
    return this.state.get('chatwootConversation', this.key(displayId, accountId));
  }
  conversations(accountId: number): ChatwootConversation[] {
    return this.state.inGroup('chatwootConversation', `${this.server.name}/${accountId}`);
  }
  putConversation(conversation: ChatwootConversation): void {
    this.state.put('chatwootConversation', this.key(conversation.displayId, conversation.accountId), conversation);
  }

  message(conversation: ChatwootConversation, id: number): ChatwootMessage | undefined {
    return this.state.get('chatwootMessage', this.messageKey(conversation, id));
  }
  /** Oldest first. */
  messages(conversation: ChatwootConversation): ChatwootMessage[] {
    return this.state.inGroup('chatwootMessage', `${this.server.name}/${conversation.accountId}/${conversation.displayId}`);
  }
  putMessage(conversation: ChatwootConversation, message: ChatwootMessage): void {
    this.state.put('chatwootMessage', this.messageKey(conversation, message.id), message);
  }

  webhooks(accountId: number): ChatwootWebhook[] {
    return this.state.inGroup('chatwootWebhook', `${this.server.name}/${accountId}`);
  }
  putWebhook(webhook: ChatwootWebhook): void {
    this.state.put('chatwootWebhook', this.key(webhook.id, webhook.accountId), webhook);
  }
  removeWebhook(webhook: ChatwootWebhook): void {
    this.state.remove('chatwootWebhook', this.key(webhook.id, webhook.accountId));
  }

  blob(signedId: string) {
    return this.state.get('chatwootBlob', this.key(signedId));
  }
  /** Answers the signed id under which the file is found. */
  addBlob(file: { fileName: string; contentType: string; bytes: Buffer }): string {
    const signedId = newToken();
    this.state.put('chatwootBlob', this.key(signedId), { fileName: file.fileName, contentType: file.contentType, base64: file.bytes.toString('base64') });
    return signedId;
  }

  /** Counts a call in this minute; false past the limit. Kept in memory: rack-attack's counters do not outlive its cache either. */
  within(rule: string, accountId: number, limit: number, now: Date): boolean {
    return this.state.countWithin(`${this.server.name}/${rule}/${accountId}`, limit, now);
  }

  private key(id: number | string, group?: number): string {
    // A bar in a source id would end in another group.
    return `${this.server.name}${group === undefined ? '' : `/${group}`}|${String(id).replaceAll('|', '%7C')}`;
  }

  private messageKey(conversation: ChatwootConversation, id: number): string {
    return `${this.server.name}/${conversation.accountId}/${conversation.displayId}|${id}`;
  }
}
