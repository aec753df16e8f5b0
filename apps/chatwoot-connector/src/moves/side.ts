import type { ConnectionId } from '@switchboard/contracts';

/** One inbox of a move: the one that is read or the one that is written. Everything a move asks of Chatwoot, and nothing else. */
export interface Side {
  readonly connectionId: ConnectionId;
  /** `<server>/<account>/<inbox>` */
  readonly inboxKey: string;
  /** Of all statuses, the oldest first, 25 a page from 1; `total` of the inbox. */
  listConversations(page: number): Promise<{ readonly conversations: readonly SideConversation[]; readonly total: number }>;
  /** Those in which anything changed in the last so many seconds, all of them. */
  listChanged(withinSeconds: number): Promise<readonly SideConversation[]>;
  /** Of this contact in this inbox. */
  findByAddress(address: string): Promise<readonly SideConversation[]>;
  /** Ascending by id, those after `afterId`, 100 at most; undefined when the conversation is gone. */
  readMessages(conversationId: number, afterId: number): Promise<readonly SideMessage[] | undefined>;
  /** Of a contact, with its address in this inbox. */
  readContact(contactId: number): Promise<SideContact>;
  /** Finds it where it is there already. */
  makeContact(contact: SideContact & { readonly address: string }): Promise<number>;
  /** As `pending`, which sends nobody a notice; `marker` finds it again. */
  makeConversation(conversation: { readonly address: string; readonly contactId: number; readonly marker: string; readonly like: SideConversation }): Promise<number>;
  setFacts(conversationId: number, facts: ConversationFacts): Promise<void>;
  /** One call. A failure says by `detail.sent === false` that nothing was written. */
  post(conversationId: number, message: MessageCopy): Promise<number>;
  /** The bytes of an attachment; undefined when it is gone or larger. */
  loadFile(url: string, bytesMax: number): Promise<{ readonly bytes: Buffer; readonly mimeType: string | undefined } | undefined>;
  /** Switches off what would answer or assign what is imported (greeting, out of office, survey, bot …); gives back how it was, as text. */
  quieten(): Promise<string>;
  /** Puts it back. */
  restore(before: string): Promise<void>;
}

export type ConversationStatus = 'open' | 'resolved' | 'pending' | 'snoozed';

/** What is set anew at the copy when it changes in the source. */
export type ConversationFacts = {
  readonly status: ConversationStatus;
  readonly labels: readonly string[];
  /** Agents are found again by their e-mail address, where the other account has one with it. */
  readonly assigneeEmail: string | undefined;
};

export type SideConversation = {
  /** Number in its account (display id). */
  readonly id: number;
  readonly contactId: number;
  /** source_id of its contact inbox, where the answer says it. */
  readonly address: string | undefined;
  readonly facts: ConversationFacts;
  readonly customAttributes: Readonly<Record<string, unknown>>;
  readonly additionalAttributes: Readonly<Record<string, unknown>>;
};

export type SideContact = {
  readonly name: string | undefined;
  readonly email: string | undefined;
  readonly phoneNumber: string | undefined;
  readonly identifier: string | undefined;
  readonly customAttributes: Readonly<Record<string, unknown>>;
  readonly additionalAttributes: Readonly<Record<string, unknown>>;
  readonly address?: string | undefined;
};

export type SideMessage = {
  readonly id: number;
  readonly type: 'incoming' | 'outgoing' | 'activity' | 'template';
  readonly content: string;
  readonly isPrivate: boolean;
  /** Unix seconds. */
  readonly createdAt: number;
  readonly senderName: string | undefined;
  readonly hubRef: string | undefined;
  readonly sourceId: string | undefined;
  readonly attachments: readonly { readonly url: string; readonly fileName: string; readonly mimeType: string | undefined }[];
};

/** What is written for a message of the other side. */
export type MessageCopy = {
  readonly content: string;
  readonly type: 'incoming' | 'outgoing';
  readonly isPrivate: boolean;
  readonly hubRef: string;
  /** Unix seconds. */
  readonly writtenAt: number;
  readonly sourceId: string | undefined;
  readonly files: readonly { readonly bytes: Buffer; readonly fileName: string; readonly mimeType: string }[];
};
