import { z } from 'zod';
import { conversationIdSchema, leadIdSchema } from '../ids.ts';
import { givenInstantSchema } from './given-instant.ts';
import { pageOf, pageQuerySchema } from './paging.ts';
import { isPlainText, notPlain } from './plain-text.ts';
import { defineRouteContract } from './route-contract.ts';

/** Contacts who left details: by a bot's action, a form, outside business hours, or given by a tenant's own systems. */

export const leadStatuses = ['new', 'contacted', 'qualified', 'won', 'lost'] as const;

/** As in `lead.captured`: `chatbot`, `form`, `voicemail`, `after_hours`, `api` … */
const sourceSchema = z.string().max(64).regex(/^[a-z][a-z0-9_]*$/, 'use a lower-case word of letters, digits and "_"');

const leadSchema = z.object({
  leadId: leadIdSchema,
  source: z.string(),
  status: z.enum(leadStatuses),
  contact: z.object({ name: z.string().nullable(), phone: z.string().nullable(), email: z.string().nullable() }),
  notes: z.string().nullable(),
  /** What else the contact said. */
  attributes: z.record(z.string(), z.string()),
  /** Who sees to it, in the tenant's own words. */
  assignee: z.string().nullable(),
  conversationId: conversationIdSchema.nullable(),
  capturedAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});
export type LeadView = z.infer<typeof leadSchema>;

const word = (lengthMax: number) => z.string().trim().min(1).max(lengthMax).refine(isPlainText, notPlain);
/** Lines are allowed; what Postgres takes no text with is not. */
const notes = z.string().trim().max(8_192).refine((text) => isPlainText(text.replaceAll(/[\n\r\t]/g, '')), notPlain);
const leadParams = z.object({ leadId: leadIdSchema });

const filters = z.object({
  status: z.enum(leadStatuses).optional(),
  source: sourceSchema.optional(),
  /** Captured then or later. */
  since: givenInstantSchema.optional(),
});

export const listLeads = defineRouteContract({
  method: 'GET',
  path: '/tenant/leads',
  summary: 'Leads of the tenant, those captured last first',
  auth: 'key',
  scopes: ['state:read'],
  query: pageQuerySchema.extend(filters.shape),
  reply: { status: 200, schema: pageOf(leadSchema) },
});

export const createLead = defineRouteContract({
  method: 'POST',
  path: '/tenant/leads',
  summary: 'Takes a lead from the tenant\'s own systems. With an Idempotency-Key, a repetition answers the first one',
  auth: 'key',
  scopes: ['state:write'],
  body: z
    .object({
      source: sourceSchema,
      contact: z.object({ name: word(512), phone: word(64).optional(), email: z.email().max(320).optional() }).strict(),
      notes: notes.optional(),
    })
    .strict(),
  isRepeatable: true,
  reply: { status: 201, schema: leadSchema },
  errors: ['request.idempotency_conflict'],
});

export const getLead = defineRouteContract({
  method: 'GET',
  path: '/tenant/leads/:leadId',
  summary: 'One lead',
  auth: 'key',
  scopes: ['state:read'],
  params: leadParams,
  reply: { status: 200, schema: leadSchema },
  errors: ['lead.not_found'],
});

export const updateLead = defineRouteContract({
  method: 'PATCH',
  path: '/tenant/leads/:leadId',
  summary: 'Changes status, assignee or notes of a lead; null takes assignee or notes away',
  auth: 'key',
  scopes: ['state:write'],
  params: leadParams,
  body: z
    .object({ status: z.enum(leadStatuses).optional(), assignee: word(200).nullable().optional(), notes: notes.nullable().optional() })
    .strict()
    .refine((body) => Object.keys(body).length > 0, 'give at least one of "status", "assignee" and "notes"'),
  reply: { status: 200, schema: leadSchema },
  errors: ['lead.not_found'],
});

/** Lines of one export: some tens of megabytes if every lead had the longest notes there can be. */
export const leadsExportedMax = 5_000;

export const exportLeads = defineRouteContract({
  method: 'GET',
  path: '/tenant/leads.csv',
  summary: `Leads as CSV (RFC 4180, UTF-8), those captured last first, at most ${leadsExportedMax}; ask again with "until" for older ones`,
  auth: 'key',
  scopes: ['state:read'],
  query: filters.extend({
    /** Captured before. */
    until: givenInstantSchema.optional(),
  }),
  reply: { status: 200, schema: z.string(), mediaType: 'text/csv' },
});
