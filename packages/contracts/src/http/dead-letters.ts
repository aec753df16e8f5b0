import { z } from 'zod';
import { envelopeSchema } from '../events.ts';
import { deadLetterIdSchema, tenantIdSchema } from '../ids.ts';
import { pageOf, pageQuerySchema } from './paging.ts';
import { defineRouteContract } from './route-contract.ts';

/** Routes that every service with consumers has: events it could not handle, per tenant. */

const deadLetterSchema = z.object({
  deadLetterId: deadLetterIdSchema,
  tenantId: tenantIdSchema,
  /** Consumer group that failed. */
  group: z.string(),
  event: envelopeSchema,
  error: z.object({ code: z.string(), message: z.string() }),
  attempts: z.number().int().positive(),
  failedAt: z.iso.datetime(),
});

export const listDeadLetters = defineRouteContract({
  method: 'GET',
  path: '/tenants/:tenantId/dead-letters',
  summary: 'Events of a tenant that this service could not handle, oldest first',
  auth: 'admin',
  self: { scopes: ['tenant:read'] },
  params: z.object({ tenantId: tenantIdSchema }),
  query: pageQuerySchema.extend({ group: z.string().max(128).optional() }),
  reply: { status: 200, schema: pageOf(deadLetterSchema) },
});

export const getDeadLetter = defineRouteContract({
  method: 'GET',
  path: '/tenants/:tenantId/dead-letters/:deadLetterId',
  summary: 'One event that could not be handled, with its error',
  auth: 'admin',
  self: { scopes: ['tenant:read'] },
  params: z.object({ tenantId: tenantIdSchema, deadLetterId: deadLetterIdSchema }),
  reply: { status: 200, schema: deadLetterSchema },
  errors: ['dead_letter.not_found'],
});

export const redriveDeadLetters = defineRouteContract({
  method: 'POST',
  path: '/tenants/:tenantId/dead-letters/redrive',
  summary: 'Hand events that could not be handled to their consumers again, in their order; all of the tenant\'s when none is named',
  auth: 'admin',
  self: { scopes: ['tenant:write'] },
  params: z.object({ tenantId: tenantIdSchema }),
  body: z.object({ deadLetterIds: z.array(deadLetterIdSchema).min(1).max(1000).optional() }),
  reply: { status: 200, schema: z.object({ redriven: z.number().int().nonnegative() }) },
});
