import { z } from 'zod';
import { monthSchema, plans } from '../events.ts';
import { providerIdSchema, tenantIdSchema } from '../ids.ts';
import { pageOf, pageQuerySchema } from './paging.ts';
import { defineRouteContract } from './route-contract.ts';

/** What tenants used: counted from `usage.recorded` alone, a minute behind at the most. Months are those of the tenant's time zone. */

const count = z.number().int().nonnegative();

const usageSchema = z.object({
  month: monthSchema,
  timeZone: z.string(),
  plan: z.enum(plans),
  /** Messages a month; null: no limit. */
  limit: count.nullable(),
  messages: z.object({
    total: count,
    inbound: count,
    outbound: count,
    byChannel: z.array(z.object({ channel: providerIdSchema, inbound: count, outbound: count })),
  }),
  apiCalls: count,
  /** Contacts with at least one message in the month. */
  activeContacts: count,
  /** Bytes of the files of messages, where their size is known. */
  mediaBytes: count,
  /** When the month ends, and the limit with it. */
  resetsAt: z.iso.datetime(),
});
export type UsageView = z.infer<typeof usageSchema>;

export const getUsage = defineRouteContract({
  method: 'GET',
  path: '/tenants/:tenantId/usage',
  summary: 'What a tenant used in a month; this month when it is not named',
  auth: 'admin',
  self: { scopes: ['tenant:read'] },
  params: z.object({ tenantId: tenantIdSchema }),
  query: z.object({ month: monthSchema.optional() }),
  reply: { status: 200, schema: usageSchema },
  errors: ['tenant.not_found'],
});

export const exportUsage = defineRouteContract({
  method: 'GET',
  path: '/usage.csv',
  summary: 'What every tenant used in a month, as CSV (RFC 4180, UTF-8), by tenant id; also those that used nothing',
  auth: 'admin',
  query: z.object({ month: monthSchema }),
  reply: { status: 200, schema: z.string(), mediaType: 'text/csv' },
});

const reachedLimitSchema = z.object({
  tenantId: tenantIdSchema,
  month: monthSchema,
  /** Per cent of the limit. */
  threshold: z.union([z.literal(80), z.literal(100)]),
  /** As it was then. */
  used: count,
  limit: z.number().int().positive(),
  reachedAt: z.iso.datetime(),
});
export type ReachedLimit = z.infer<typeof reachedLimitSchema>;

export const listReachedLimits = defineRouteContract({
  method: 'GET',
  path: '/plan-limits',
  summary: 'Tenants that reached 80 or 100 % of their plan\'s messages in a month, by tenant id; a larger plan gives a tenant new lines',
  auth: 'admin',
  query: pageQuerySchema.extend({ month: monthSchema }),
  reply: { status: 200, schema: pageOf(reachedLimitSchema) },
});
