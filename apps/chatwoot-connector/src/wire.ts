import { z } from 'zod';
import { attachmentSchema, chatwootTime } from './api/replies.ts';

/** What the hub reads of Chatwoot's webhooks (contract, 1.3 to 1.6). `contact_inbox.pubsub_token`, a live credential of the contact, is never read. */

const text = z.string().nullish().catch(undefined);
/** Ids are numbers; forwarders make texts of them. */
const id = z.union([z.number().int(), z.string().regex(/^\d{1,18}$/).transform(Number)]);
const optionalId = id.nullish().catch(undefined);
const record = z.record(z.string(), z.unknown()).nullish().catch(undefined);
const withId = z.object({ id }).nullish().catch(undefined);

const contactInbox = z.object({ inbox_id: optionalId, source_id: text }).nullish().catch(undefined);
const sender = z.object({ id: optionalId, name: text, type: text, email: text, phone_number: text, identifier: text }).nullish().catch(undefined);
const meta = z.object({ sender, assignee: z.object({ id: optionalId, name: text, type: text }).nullish().catch(undefined), assignee_type: text }).nullish().catch(undefined);

/** A conversation as webhooks have it: below `conversation`, or as the whole body of `conversation_…` events. */
const conversation = z.object({
  /** The display id. */
  id: optionalId,
  inbox_id: optionalId,
  status: text,
  account: withId,
  contact_inbox: contactInbox,
  meta,
  updated_at: chatwootTime,
});

export const envelopeSchema = z.object({
  event: text,
  account: withId,
  inbox: withId,
  inbox_id: optionalId,
  conversation: conversation.nullish().catch(undefined),
  contact_inbox: contactInbox,
});
export type ChatwootEnvelope = z.infer<typeof envelopeSchema>;

/** Attachments are read one by one: one of a kind that nobody knows must not cost the others. */
const attachments = z
  .array(z.unknown())
  .nullish()
  .catch(undefined)
  .transform((list) => (list ?? []).map((value) => attachmentSchema.safeParse(value).data).filter((attachment) => attachment !== undefined));

export const messageWebhookSchema = envelopeSchema.extend({
  id,
  /** A word at the top of a webhook. */
  message_type: z.enum(['incoming', 'outgoing', 'template', 'activity']),
  content: text,
  content_type: text,
  content_attributes: record,
  private: z.boolean().nullish().catch(undefined),
  source_id: text,
  created_at: chatwootTime,
  sender,
  attachments,
  conversation,
});
export type MessageWebhook = z.infer<typeof messageWebhookSchema>;

export const conversationWebhookSchema = envelopeSchema.extend({
  id,
  status: text,
  meta,
  /** One object for each field that changed; null in `conversation_status_changed` (contract, 1.4). */
  changed_attributes: z.array(z.record(z.string(), z.object({ previous_value: z.unknown(), current_value: z.unknown() }).catch({ previous_value: undefined, current_value: undefined }))).nullish().catch(undefined),
  updated_at: chatwootTime,
});
export type ConversationWebhook = z.infer<typeof conversationWebhookSchema>;

export const typingWebhookSchema = envelopeSchema.extend({
  user: sender,
  is_private: z.boolean().nullish().catch(undefined),
  conversation,
});

/** The published form of a chatbot's webhook: a contact's message without an event around it. */
export const formWebhookSchema = envelopeSchema.extend({
  id: optionalId,
  inbox_id: id,
  conversation,
  content: z.string(),
  created_at: chatwootTime,
});

const submitted = z.array(z.object({ title: z.string().nullish().catch(undefined), value: z.unknown() })).min(1);
export const submittedValuesSchema = z.object({ submitted_values: submitted });
export const itemsSchema = z.object({ items: z.array(z.object({ title: z.string().min(1), value: z.string().min(1) })).min(1) });

