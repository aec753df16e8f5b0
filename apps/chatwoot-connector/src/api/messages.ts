import { z } from 'zod';
import type { ChatwootAccount } from './account.ts';
import { callChatwoot } from './call-chatwoot.ts';
import { messageSchema, type ChatwootMessage } from './replies.ts';

/** Characters of one message, and files of one (contract, 2.4). */
export const messageLengthMax = 150_000;
export const attachmentsMax = 15;

export type NewMessage = {
  readonly content: string;
  /** `incoming` at API inboxes alone; its author is the conversation's contact, whoever owns the token. */
  readonly messageType: 'incoming' | 'outgoing';
  readonly isPrivate?: boolean;
  readonly contentType?: 'text' | 'input_select';
  /** `hub_ref` marks what the hub wrote. `automation_rule_id` would replace all others. */
  readonly contentAttributes: Readonly<Record<string, unknown>> & { readonly hub_ref: string };
  /** Only on incoming ones: elsewhere it says "came from the channel", and Chatwoot does not send the message. */
  readonly sourceId?: string;
  /** When it was written, for imported messages. Chatwoot keeps it in the content attributes; no page of it shows it. */
  readonly externalCreatedAt?: string;
};

export type NewAttachment = { readonly bytes: Buffer; readonly fileName: string; readonly mimeType: string };

/** Writes a message, as a form when it has files. Two equal calls are two messages: see `findOwnMessage`. */
export async function createMessage(account: ChatwootAccount, conversationId: number, message: NewMessage, attachments: readonly NewAttachment[] = []): Promise<{ readonly id?: number | undefined }> {
  const fields = {
    content: message.content,
    message_type: message.messageType,
    private: message.isPrivate ?? false,
    content_type: message.contentType ?? 'text',
    content_attributes: message.contentAttributes,
    source_id: message.sourceId,
    external_created_at: message.externalCreatedAt,
  };
  const path = `/conversations/${conversationId}/messages`;
  // A good answer of another form is a success all the same: the message is there.
  const reply = z.object({ id: z.number().int().optional().catch(undefined) }).catch({});
  if (attachments.length === 0) return callChatwoot(account, { method: 'POST', path, json: fields, reply });
  return callChatwoot(account, { method: 'POST', path, form: formOf(fields, attachments.slice(0, attachmentsMax)), reply });
}

/** Ascending. `after` alone: up to 100 newer ones; `before` alone: 20 older ones; both: up to 1 000 between; neither: the newest 20. */
export async function listMessages(account: ChatwootAccount, conversationId: number, page: { readonly after?: number; readonly before?: number } = {}): Promise<readonly ChatwootMessage[]> {
  const { payload } = await callChatwoot(account, { method: 'GET', path: `/conversations/${conversationId}/messages`, query: page, reply: z.object({ payload: z.array(messageSchema) }) });
  return payload;
}

/** Pages of a search: a hundred messages each. */
const searchPagesMax = 20;

/** The message after `after` that carries this `hub_ref` (or source id, which survives an agent's "retry"): what the hub wrote and got no answer to. */
export async function findOwnMessage(account: ChatwootAccount, conversationId: number, hubRef: string, after: number): Promise<ChatwootMessage | undefined> {
  let from = after;
  for (let page = 0; page < searchPagesMax; page++) {
    const messages = await listMessages(account, conversationId, { after: from });
    const own = messages.find((message) => message.content_attributes?.['hub_ref'] === hubRef || message.source_id === hubRef);
    const last = messages.at(-1);
    if (own !== undefined || last === undefined || last.id <= from) return own;
    from = last.id;
  }
  return undefined;
}

/** At API inboxes alone; elsewhere `provider.rejected`. */
export async function updateMessageStatus(account: ChatwootAccount, conversationId: number, messageId: number, change: { readonly status: 'delivered' | 'read' | 'failed'; readonly externalError?: string }): Promise<void> {
  await callChatwoot(account, { method: 'PATCH', path: `/conversations/${conversationId}/messages/${messageId}`, json: { status: change.status, external_error: change.externalError }, reply: z.unknown() });
}

function formOf(fields: Readonly<Record<string, unknown>>, attachments: readonly NewAttachment[]): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) form.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  for (const { bytes, fileName, mimeType } of attachments) form.append('attachments[]', new Blob([Uint8Array.from(bytes)], { type: mimeType }), fileName);
  return form;
}
