import { z } from 'zod';
import type { ChatwootAccount } from './account.ts';
import { callChatwoot } from './call-chatwoot.ts';
import { conversationSchema, type ChatwootConversation } from './replies.ts';

export const conversationStatuses = ['open', 'resolved', 'pending', 'snoozed'] as const;
export type ConversationStatus = (typeof conversationStatuses)[number];

/** Conversations of a page, fixed by the server (`CONVERSATION_RESULTS_PER_PAGE`). */
export const conversationsPerPage = 25;

export type ConversationsQuery = {
  readonly inboxId: number;
  /** `all` when absent, where Chatwoot's own default is `open`. */
  readonly status?: ConversationStatus | 'all';
  /** From 1. */
  readonly page?: number;
  readonly sortBy?: 'created_at_asc' | 'created_at_desc' | 'last_activity_at_asc' | 'last_activity_at_desc';
  /** Seconds: all that changed since then, without pages. */
  readonly updatedWithin?: number;
};

/** A page of an inbox's conversations. What the server answers of another inbox (none should be) is left out. */
export async function listConversations(account: ChatwootAccount, query: ConversationsQuery): Promise<{ readonly conversations: readonly ChatwootConversation[]; readonly count: number; readonly isFull: boolean }> {
  const { inboxId, status = 'all', page = 1, sortBy, updatedWithin } = query;
  const { data } = await callChatwoot(account, {
    method: 'GET',
    path: '/conversations',
    query: { status, assignee_type: 'all', inbox_id: inboxId, page, sort_by: sortBy, updated_within: updatedWithin },
    reply: z.object({ data: z.object({ meta: z.object({ all_count: z.number().optional() }).catch({}), payload: z.array(conversationSchema) }) }),
  });
  const conversations = data.payload.filter(({ inbox_id }) => inbox_id === inboxId);
  return { conversations, count: data.meta.all_count ?? conversations.length, isFull: updatedWithin === undefined && data.payload.length >= conversationsPerPage };
}

export async function getConversation(account: ChatwootAccount, conversationId: number): Promise<ChatwootConversation> {
  return callChatwoot(account, { method: 'GET', path: `/conversations/${conversationId}`, reply: conversationSchema });
}

export type NewConversation = {
  readonly inboxId: number;
  readonly contactId: number;
  readonly sourceId: string;
  readonly status?: ConversationStatus;
  readonly customAttributes?: Readonly<Record<string, unknown>>;
  readonly additionalAttributes?: Readonly<Record<string, unknown>>;
};

/** Always the triple: with one of inbox and contact missing, servers until 4.15.1 look the source id up in all accounts (contract, 2.3). */
export async function createConversation(account: ChatwootAccount, { inboxId, contactId, sourceId, ...more }: NewConversation): Promise<ChatwootConversation> {
  const json = { inbox_id: inboxId, contact_id: contactId, source_id: sourceId, status: more.status, custom_attributes: more.customAttributes, additional_attributes: more.additionalAttributes };
  return callChatwoot(account, { method: 'POST', path: '/conversations', json, reply: conversationSchema });
}

export async function toggleStatus(account: ChatwootAccount, conversationId: number, status: ConversationStatus): Promise<void> {
  await callChatwoot(account, { method: 'POST', path: `/conversations/${conversationId}/toggle_status`, json: { status }, reply: z.unknown() });
}

/** `null` leaves the conversation to nobody. */
export async function assignAgent(account: ChatwootAccount, conversationId: number, assigneeId: number | null): Promise<void> {
  await callChatwoot(account, { method: 'POST', path: `/conversations/${conversationId}/assignments`, json: { assignee_id: assigneeId }, reply: z.unknown() });
}

export async function listLabels(account: ChatwootAccount, conversationId: number): Promise<readonly string[]> {
  const { payload } = await callChatwoot(account, { method: 'GET', path: `/conversations/${conversationId}/labels`, reply: z.object({ payload: z.array(z.string()) }) });
  return payload;
}

/** Replaces all labels of the conversation. */
export async function setLabels(account: ChatwootAccount, conversationId: number, labels: readonly string[]): Promise<void> {
  await callChatwoot(account, { method: 'POST', path: `/conversations/${conversationId}/labels`, json: { labels }, reply: z.unknown() });
}

/** Replaces all custom attributes of the conversation. */
export async function setCustomAttributes(account: ChatwootAccount, conversationId: number, customAttributes: Readonly<Record<string, unknown>>): Promise<void> {
  await callChatwoot(account, { method: 'POST', path: `/conversations/${conversationId}/custom_attributes`, json: { custom_attributes: customAttributes }, reply: z.unknown() });
}

/** Appears as typing of the token's owner. */
export async function toggleTyping(account: ChatwootAccount, conversationId: number, isOn: boolean): Promise<void> {
  await callChatwoot(account, { method: 'POST', path: `/conversations/${conversationId}/toggle_typing_status`, json: { typing_status: isOn ? 'on' : 'off', is_private: false }, reply: z.unknown() });
}
