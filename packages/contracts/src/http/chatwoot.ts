import { z } from 'zod';
import { connectionIdSchema, tenantIdSchema } from '../ids.ts';
import { authors } from '../message.ts';
import { pageOf } from './paging.ts';
import { defineRouteContract } from './route-contract.ts';

const instant = z.iso.datetime().nullable();

/** A conversation as Chatwoot has it, without what is a credential there. */
const chatwootConversationSchema = z.object({
  /** Its number in the Chatwoot account: what agents see, and what `providerConversationId` is elsewhere. */
  id: z.string(),
  connectionId: connectionIdSchema,
  inboxId: z.string(),
  status: z.enum(['open', 'resolved', 'pending', 'snoozed']),
  contact: z.object({ id: z.string().nullable(), name: z.string().nullable(), phone: z.string().nullable(), email: z.string().nullable(), identifier: z.string().nullable() }),
  /** The person it is assigned to. */
  assignee: z.object({ id: z.string(), name: z.string().nullable() }).nullable(),
  labels: z.array(z.string()),
  unreadCount: z.number().int().nonnegative(),
  lastMessage: z.object({ id: z.string(), author: z.enum(authors), text: z.string(), at: instant }).nullable(),
  createdAt: instant,
  lastActivityAt: instant,
});
export type ChatwootConversationRecord = z.infer<typeof chatwootConversationSchema>;

export const listChatwootConversations = defineRouteContract({
  method: 'GET',
  path: '/tenants/:tenantId/chatwoot/conversations',
  summary: 'Conversations in the tenant\'s own Chatwoot inboxes, as Chatwoot has them now: those of last activity first, 25 of each inbox on a page',
  auth: 'admin',
  self: { scopes: ['state:read'] },
  params: z.object({ tenantId: tenantIdSchema }),
  query: z.object({
    status: z.enum(['open', 'resolved', 'pending', 'snoozed', 'all']).default('all'),
    /** From 1; the same as `cursor`, which the page before gave. */
    page: z.coerce.number().int().min(1).max(10_000).optional(),
    cursor: z.string().regex(/^[1-9]\d{0,4}$/).optional(),
    /** Of this connection alone. */
    connectionId: connectionIdSchema.optional(),
  }),
  reply: { status: 200, schema: pageOf(chatwootConversationSchema) },
  errors: ['connection.not_found', 'provider.unauthorized', 'provider.forbidden', 'provider.not_found', 'provider.throttled', 'provider.unavailable', 'provider.rejected', 'egress.failed', 'egress.refused'],
});
