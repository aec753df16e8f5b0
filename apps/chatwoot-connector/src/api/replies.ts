import { z } from 'zod';

/** What the hub reads of Chatwoot's answers: nothing of it is a credential (`pubsub_token`, `secret`, `hmac_token`, `access_token` are never read). */

const text = z.string().nullish().catch(undefined);
const id = z.number().int();
/** Unix seconds in conversations and messages of the API, ISO in some fields of webhooks. */
export const chatwootTime = z.union([z.number(), z.string()]).nullish().catch(undefined);

export const contactSchema = z.object({
  id,
  name: text,
  email: text,
  phone_number: text,
  identifier: text,
  custom_attributes: z.record(z.string(), z.unknown()).nullish().catch(undefined),
  additional_attributes: z.record(z.string(), z.unknown()).nullish().catch(undefined),
  contact_inboxes: z.array(z.object({ source_id: text, inbox: z.object({ id }).nullish().catch(undefined) })).nullish().catch(undefined),
});
export type ChatwootContact = z.infer<typeof contactSchema>;

export const attachmentSchema = z.object({
  id: id.optional().catch(undefined),
  file_type: text,
  extension: text,
  content_type: text,
  file_size: z.number().nullish().catch(undefined),
  data_url: text,
  coordinates_lat: z.number().nullish().catch(undefined),
  coordinates_long: z.number().nullish().catch(undefined),
  fallback_title: text,
  meta: z.record(z.string(), z.unknown()).nullish().catch(undefined),
});
export type ChatwootAttachment = z.infer<typeof attachmentSchema>;

/** 0 incoming, 1 outgoing, 2 activity, 3 template; a word at the top of webhooks. */
const messageType = z.union([z.number(), z.string()]).transform((value) => messageTypes[value] ?? 'unknown');
const messageTypes: Readonly<Record<number | string, 'incoming' | 'outgoing' | 'activity' | 'template' | undefined>> = {
  0: 'incoming', 1: 'outgoing', 2: 'activity', 3: 'template', incoming: 'incoming', outgoing: 'outgoing', activity: 'activity', template: 'template',
};

export const messageSchema = z.object({
  id,
  content: text,
  message_type: messageType,
  content_type: text,
  content_attributes: z.record(z.string(), z.unknown()).nullish().catch(undefined),
  private: z.boolean().nullish().catch(undefined),
  status: text,
  source_id: text,
  sender_type: text,
  sender: z.object({ id: id.optional().catch(undefined), name: text, type: text, email: text }).nullish().catch(undefined),
  created_at: chatwootTime,
  attachments: z.array(attachmentSchema).nullish().catch(undefined),
});
export type ChatwootMessage = z.infer<typeof messageSchema>;

const agent = z.object({ id, name: text, email: text }).nullish().catch(undefined);

export const conversationSchema = z.object({
  /** The display id: what every path and webhook names a conversation by. */
  id,
  inbox_id: id,
  status: text,
  labels: z.array(z.string()).nullish().catch(undefined),
  meta: z.object({ sender: contactSchema.nullish().catch(undefined), assignee: agent, assignee_type: text }).nullish().catch(undefined),
  messages: z.array(messageSchema).nullish().catch(undefined),
  custom_attributes: z.record(z.string(), z.unknown()).nullish().catch(undefined),
  additional_attributes: z.record(z.string(), z.unknown()).nullish().catch(undefined),
  priority: text,
  unread_count: z.number().nullish().catch(undefined),
  created_at: chatwootTime,
  last_activity_at: chatwootTime,
  updated_at: chatwootTime,
});
export type ChatwootConversation = z.infer<typeof conversationSchema>;
