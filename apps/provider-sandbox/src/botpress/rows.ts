import type { Behaviour } from './behaviour.ts';

/** What the stand-in for Botpress keeps. Keys are `<bot>|<id>`. */

export type CloudBot = {
  readonly kind: 'cloud';
  readonly webhookId: string;
  readonly botId: string;
  readonly encryptionKey: string;
  readonly webhookSecret: string;
  /** Undefined: the Chat integration has none, and the bot's answers are seen by whoever asks for them. */
  readonly webhookUrl: string | undefined;
  readonly accessToken: string;
  /** The bot's own user id, as it stands on its messages. */
  readonly userId: string;
  /** End-user messages and events; 0: no limit. */
  readonly messagesPerMinute: number;
  readonly behaviour: Behaviour;
};

export type V12Bot = {
  readonly kind: 'v12';
  readonly botId: string;
  readonly email: string;
  readonly password: string;
  /** `converse.maxMessageLength`. */
  readonly maxTextLength: number;
  readonly behaviour: Behaviour;
};

export type BotpressMessage = {
  readonly id: string;
  readonly conversationId: string;
  readonly userId: string;
  readonly payload: Record<string, unknown>;
  readonly metadata: Record<string, unknown> | undefined;
  readonly createdAt: string;
  readonly isBot: boolean;
};

/** What one turn brought to the bot. */
export type BotpressTurn = {
  readonly at: string;
  readonly kind: 'message' | 'event';
  readonly conversationId: string;
  readonly userId: string;
  readonly payload: Record<string, unknown>;
  readonly metadata: Record<string, unknown> | undefined;
};

export type BotpressFile = {
  readonly id: string;
  readonly key: string;
  readonly size: number;
  readonly index: boolean;
  readonly contentType: string;
  readonly tags: Record<string, string>;
  readonly metadata: Record<string, unknown>;
  readonly accessPolicies: readonly unknown[];
  readonly text: string | undefined;
  readonly uploadedAt: string | undefined;
  readonly createdAt: string;
  readonly updatedAt: string;
};

export type V12Question = { readonly id: string; readonly data: Record<string, unknown> };
export type BotpressSignal = { readonly at: string; readonly type: string; readonly conversationId: string; readonly attempts: readonly (number | null)[] };

export type BotpressTables = {
  botpressBot: CloudBot | V12Bot;
  botpressUser: { readonly id: string; readonly name: string | undefined; readonly pictureUrl: string | undefined; readonly profile: string | undefined; readonly createdAt: string; readonly updatedAt: string };
  botpressConversation: { readonly id: string; readonly ownerId: string; readonly createdAt: string; readonly updatedAt: string };
  botpressMessage: BotpressMessage;
  botpressFile: BotpressFile;
  botpressKnowledgeBase: { readonly id: string; readonly name: string; readonly tags: Record<string, string>; readonly createdAt: string };
  botpressToken: { readonly email: string; readonly expiresAt: string };
  v12Question: V12Question;
  v12Upload: { readonly status: string };
  v12Training: { readonly startedAt: string };
  botpressTurn: BotpressTurn;
  botpressSignal: BotpressSignal;
};
