import { z } from 'zod';
import { contactRefSchema } from '../events.ts';
import { connectionIdSchema, contactIdSchema, conversationIdSchema, messageIdSchema, providerIdSchema } from '../ids.ts';
import { authors, deliveryErrorSchema, deliveryStatuses, messageContentSchema, textLengthMax, type MessageKind } from '../message.ts';
import { pageOf, pageQuerySchema } from './paging.ts';
import { defineRouteContract } from './route-contract.ts';

/** What a tenant asks about its conversations, through the gateway, with its API key. */

export const conversationStatuses = ['open', 'closed'] as const;
export const handlers = ['bot', 'desk', 'none'] as const;

const instant = z.iso.datetime();

/** The counterpart of a conversation at a desk or bot. */
const counterpartSchema = z.object({
  connectionId: connectionIdSchema,
  /** The contact's address there: stable, so that the other side keeps one thread. */
  contactAddress: z.string(),
  providerConversationId: z.string().nullable(),
});

const conversationSchema = z.object({
  conversationId: conversationIdSchema,
  status: z.enum(conversationStatuses),
  handler: z.enum(handlers),
  channel: z.object({ connectionId: connectionIdSchema, provider: providerIdSchema }),
  contact: contactRefSchema.extend({ contactId: contactIdSchema }),
  counterparts: z.array(counterpartSchema),
  messageCount: z.number().int().nonnegative(),
  /** When the contact last wrote. The channel's reply window counts from here. */
  lastInboundAt: instant.nullable(),
  lastActivityAt: instant,
  createdAt: instant,
  closedAt: instant.nullable(),
});
export type ConversationView = z.infer<typeof conversationSchema>;

const deliverySchema = z.object({
  connectionId: connectionIdSchema,
  status: z.enum(deliveryStatuses),
  error: deliveryErrorSchema.nullable(),
  /** What was sent in place of the message: the route's template, when the channel's reply window was closed. */
  sentInstead: messageContentSchema.nullable(),
  updatedAt: instant,
});

const messageSchema = z.object({
  messageId: messageIdSchema,
  conversationId: conversationIdSchema,
  /** Counts the messages of its conversation from 1, in the order the hub took them. */
  position: z.number().int().positive(),
  /** `inbound` comes from the contact, `outbound` goes to the contact. */
  direction: z.enum(['inbound', 'outbound']),
  author: z.enum(authors),
  content: messageContentSchema,
  /** The connection it came in by; null for messages given through the API. */
  connectionId: connectionIdSchema.nullable(),
  providerMessageId: z.string().nullable(),
  replyToMessageId: messageIdSchema.nullable(),
  sentAt: instant,
  createdAt: instant,
  deliveries: z.array(deliverySchema),
});
export type MessageView = z.infer<typeof messageSchema>;

const mappingSchema = z.object({
  waId: z.string(),
  contactName: z.string().nullable(),
  conversationId: conversationIdSchema,
  status: z.enum(conversationStatuses),
  handler: z.enum(handlers),
  connectionId: connectionIdSchema,
  contactId: contactIdSchema,
  counterparts: z.array(counterpartSchema),
  createdAt: instant,
});
export type MappingView = z.infer<typeof mappingSchema>;

/** Kinds that a tenant may send through the API: things said, not signals and not what only a contact can say. */
export const sendableKinds = ['text', 'image', 'audio', 'video', 'file', 'sticker', 'location', 'contact_card', 'choice', 'reaction', 'template'] as const satisfies readonly MessageKind[];

const conversationParams = z.object({ conversationId: conversationIdSchema });

export const getStats = defineRouteContract({
  method: 'GET',
  path: '/state/stats',
  summary: 'Counts of the tenant; today is the day in the tenant\'s time zone',
  auth: 'key',
  scopes: ['state:read'],
  reply: {
    status: 200,
    schema: z.object({
      tenantId: z.string(),
      totalMappings: z.number().int().nonnegative(),
      totalMessages: z.number().int().nonnegative(),
      activeConversations: z.number().int().nonnegative(),
      todayMessages: z.number().int().nonnegative(),
    }),
  },
});

export const listConversations = defineRouteContract({
  method: 'GET',
  path: '/state/conversations',
  summary: 'Conversations, newest first',
  auth: 'key',
  scopes: ['state:read'],
  query: pageQuerySchema.extend({ status: z.enum(conversationStatuses).optional() }),
  reply: { status: 200, schema: pageOf(conversationSchema) },
});

export const getConversation = defineRouteContract({
  method: 'GET',
  path: '/state/conversations/:conversationId',
  summary: 'One conversation',
  auth: 'key',
  scopes: ['state:read'],
  params: conversationParams,
  reply: { status: 200, schema: conversationSchema },
  errors: ['conversation.not_found'],
});

export const listMessages = defineRouteContract({
  method: 'GET',
  path: '/state/conversations/:conversationId/messages',
  summary: 'Messages of a conversation, oldest first, with what became of each',
  auth: 'key',
  scopes: ['state:read'],
  params: conversationParams,
  query: pageQuerySchema,
  reply: { status: 200, schema: pageOf(messageSchema) },
  errors: ['conversation.not_found'],
});

export const sendMessage = defineRouteContract({
  method: 'POST',
  path: '/state/conversations/:conversationId/messages',
  summary: 'Sends a message to the contact as the tenant\'s system. With an Idempotency-Key, a repetition answers the first message',
  auth: 'key',
  scopes: ['state:write'],
  params: conversationParams,
  body: z
    .object({
      text: z.string().min(1).max(textLengthMax).optional(),
      content: messageContentSchema.optional(),
      /** A message of this conversation that is answered. */
      replyToMessageId: messageIdSchema.optional(),
    })
    .strict()
    .refine((body) => (body.text === undefined) !== (body.content === undefined), 'give either "text" or "content"'),
  isRepeatable: true,
  reply: { status: 202, schema: messageSchema },
  errors: ['conversation.not_found', 'limit.monthly_exceeded', 'message.window_closed', 'message.kind_not_sendable', 'connection.not_active', 'request.idempotency_conflict'],
});

export const createMapping = defineRouteContract({
  method: 'POST',
  path: '/state/mapping',
  summary: 'Makes contact, conversation and mapping of a WhatsApp id, on the tenant\'s WhatsApp connection. A repetition answers what is there (200)',
  auth: 'key',
  scopes: ['state:write'],
  body: z.object({
    /** Digits with country code ("+", blanks and hyphens are taken away), or a business-scoped user id. */
    waId: z.string().trim().min(3).max(160),
    contactName: z.string().trim().min(1).max(200).optional(),
    /** Which WhatsApp connection, where the tenant has several; the oldest when absent. */
    connectionId: connectionIdSchema.optional(),
  }),
  isRepeatable: true,
  reply: { status: 201, statusOfRepetition: 200, schema: mappingSchema },
  errors: ['mapping.no_channel', 'connection.not_found'],
});

export const getMapping = defineRouteContract({
  method: 'GET',
  path: '/state/mapping/:waId',
  summary: 'The mapping of a WhatsApp id',
  auth: 'key',
  scopes: ['state:read'],
  params: z.object({ waId: z.string().trim().min(1).max(160) }),
  reply: { status: 200, schema: mappingSchema },
  errors: ['mapping.not_found'],
});

/**
 * The account behind a connection was moved to another connection of the same provider: what stands at `from` goes on at `to`. Conversations whose
 * channel is `from` become conversations of `to`; counterparts at `from` are known at `to` under the same address, without the id of the thread there
 * (it is learned anew). What still arrives by `from` joins the same conversations. Of the token's tenant. Call it again until `isDone`, and once more
 * before `from` is retired; a repetition does what is left, which may be nothing. The way back is the same call with both exchanged.
 */
export const replaceConnectionInternal = defineRouteContract({
  method: 'POST',
  path: '/internal/conversations/replace-connection',
  summary: 'Lets what stands at one connection go on at another one of the same provider',
  auth: 'internal',
  callers: ['chatwoot-connector'],
  body: z.object({ from: connectionIdSchema, to: connectionIdSchema }).strict(),
  reply: {
    status: 200,
    schema: z.object({
      /** By this call. */
      conversations: z.number().int().nonnegative(),
      mappings: z.number().int().nonnegative(),
      /** Conversations that stay at `from`, because their contact has one at `to` already. */
      kept: z.number().int().nonnegative(),
      isDone: z.boolean(),
    }),
  },
  errors: ['connection.not_found'],
});
