/** What the stand-in for Chatwoot keeps. Keys are `<group>|<id>`: see ChatwootStore. */

export type ChatwootStatus = 'open' | 'resolved' | 'pending' | 'snoozed';
export type MessageType = 'incoming' | 'outgoing' | 'activity' | 'template';
export type SenderType = 'Contact' | 'User' | 'AgentBot';

export type ChatwootServer = {
  /** `main` is the one at /chatwoot; others are at /chatwoot/s/<name>. */
  readonly name: string;
  readonly version: string;
  /** Calls a minute before 429; 0: the caller's address is on the safe list. */
  readonly callsPerMinute: number;
};

export type ChatwootAccount = {
  readonly server: string;
  readonly id: number;
  readonly name: string;
  /** `free`: Chatwoot Cloud's plan without api_and_webhooks. */
  readonly plan: 'free' | 'paid';
  readonly inboxLimit: number | null;
  readonly keepPendingOnBotFailure: boolean;
};

export type ChatwootUser = { readonly id: number; readonly accountId: number; readonly name: string; readonly email: string; readonly role: 'administrator' | 'agent' };
export type ChatwootToken = { readonly kind: 'user' | 'bot'; readonly id: number };

export type ChatwootBot = {
  readonly id: number;
  readonly accountId: number;
  readonly name: string;
  readonly description: string | null;
  readonly outgoingUrl: string | null;
  readonly accessToken: string;
  readonly secret: string;
  readonly botConfig: Record<string, unknown>;
};

export type ChatwootInbox = {
  readonly id: number;
  readonly accountId: number;
  readonly name: string;
  readonly type: 'api' | 'web_widget';
  readonly webhookUrl: string | null;
  readonly secret: string;
  readonly hmacToken: string;
  readonly identifier: string;
  readonly websiteUrl: string | null;
  readonly websiteToken: string | null;
  readonly lockToSingleConversation: boolean;
  readonly settings: Record<string, unknown>;
  readonly additionalAttributes: Record<string, unknown>;
  readonly memberIds: readonly number[];
  readonly botId: number | null;
};

export type ChatwootContact = {
  readonly id: number;
  readonly accountId: number;
  readonly name: string;
  readonly email: string | null;
  readonly phoneNumber: string | null;
  readonly identifier: string | null;
  readonly blocked: boolean;
  readonly customAttributes: Record<string, unknown>;
  readonly additionalAttributes: Record<string, unknown>;
  readonly createdAt: string;
  readonly lastActivityAt: string | null;
};

export type ChatwootContactInbox = {
  readonly id: number;
  readonly contactId: number;
  readonly inboxId: number;
  readonly sourceId: string;
  readonly pubsubToken: string;
  readonly createdAt: string;
};

export type ChatwootConversation = {
  readonly id: number;
  readonly displayId: number;
  readonly uuid: string;
  readonly accountId: number;
  readonly inboxId: number;
  readonly contactId: number;
  readonly sourceId: string;
  readonly status: ChatwootStatus;
  readonly assigneeId: number | null;
  readonly assigneeBotId: number | null;
  readonly teamId: number | null;
  readonly labels: readonly string[];
  readonly priority: string | null;
  readonly customAttributes: Record<string, unknown>;
  readonly additionalAttributes: Record<string, unknown>;
  readonly snoozedUntil: string | null;
  readonly waitingSince: string | null;
  readonly firstReplyAt: string | null;
  readonly agentLastSeenAt: string | null;
  readonly contactLastSeenAt: string | null;
  readonly lastActivityAt: string;
  readonly createdAt: string;
  readonly updatedAt: string;
};

export type ChatwootAttachment = { readonly id: number; readonly blob: string; readonly fileName: string; readonly contentType: string; readonly size: number };

export type ChatwootMessage = {
  readonly id: number;
  readonly conversationId: number;
  readonly inboxId: number;
  readonly type: MessageType;
  readonly content: string | null;
  readonly contentType: string;
  readonly contentAttributes: Record<string, unknown>;
  readonly additionalAttributes: Record<string, unknown>;
  readonly private: boolean;
  readonly status: 'sent' | 'delivered' | 'read' | 'failed';
  readonly sourceId: string | null;
  readonly echoId: string | null;
  readonly senderType: SenderType | null;
  readonly senderId: number | null;
  readonly attachments: readonly ChatwootAttachment[];
  readonly createdAt: string;
  readonly updatedAt: string;
};

export type ChatwootWebhook = {
  readonly id: number;
  readonly accountId: number;
  readonly url: string;
  readonly name: string | null;
  readonly subscriptions: readonly string[];
  readonly secret: string;
};

/** A call of the hub that could change something. */
export type ChatwootReceived = { readonly at: string; readonly method: string; readonly path: string; readonly by: string; readonly body: unknown; readonly status: number };

/** One webhook as it went out; `attempts`: the statuses that came back, null where none did. */
export type ChatwootDelivery = {
  readonly at: string;
  readonly surface: 'account' | 'inbox' | 'bot';
  readonly url: string;
  readonly event: string;
  readonly deliveryId: string;
  readonly signed: boolean;
  readonly attempts: readonly (number | null)[];
};

export type ChatwootTables = {
  chatwootServer: ChatwootServer;
  chatwootAccount: ChatwootAccount;
  chatwootUser: ChatwootUser;
  chatwootToken: ChatwootToken;
  chatwootBot: ChatwootBot;
  chatwootInbox: ChatwootInbox;
  chatwootContact: ChatwootContact;
  chatwootContactInbox: ChatwootContactInbox;
  chatwootContactLink: ChatwootContactInbox;
  chatwootConversation: ChatwootConversation;
  chatwootMessage: ChatwootMessage;
  chatwootWebhook: ChatwootWebhook;
  chatwootBlob: { readonly fileName: string; readonly contentType: string; readonly base64: string };
  chatwootSequence: { readonly last: number };
  chatwootReceived: ChatwootReceived;
  chatwootDelivery: ChatwootDelivery;
};
