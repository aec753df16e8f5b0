import { z } from 'zod';
import { actorKinds } from '../events.ts';
import { tenantIdSchema } from '../ids.ts';
import { givenInstantSchema } from './given-instant.ts';
import { pageOf, pageQuerySchema } from './paging.ts';
import { defineRouteContract } from './route-contract.ts';

/** Who did what to which thing of a tenant: a chain in which every entry holds the hash of the one before. */

const tenantParams = z.object({ tenantId: tenantIdSchema });
const own = { scopes: ['audit:read'] } as const;
const hash = z.string().regex(/^[0-9a-f]{64}$/);
/** Values of a filter; without control characters, which Postgres refuses in parts. */
const word = z.string().min(1).max(200).regex(/^[\x20-\x7e]*$/, 'use printable ASCII');

const auditRecordSchema = z.object({
  id: z.string(),
  /** Counts from 1 without a gap. */
  sequence: z.number().int().positive(),
  at: z.iso.datetime(),
  actor: z.object({ kind: z.enum(actorKinds), subject: z.string() }),
  /** The caller's network address, where there was a caller. */
  from: z.string().nullable(),
  action: z.string(),
  /** Id of the thing. */
  subject: z.string(),
  /** What was changed as it was and as it is since; never a secret. */
  before: z.record(z.string(), z.unknown()).nullable(),
  after: z.record(z.string(), z.unknown()).nullable(),
  facts: z.record(z.string(), z.unknown()),
  previousHash: hash,
  hash,
});
export type AuditRecord = z.infer<typeof auditRecordSchema>;

export const listAudit = defineRouteContract({
  method: 'GET',
  path: '/tenants/:tenantId/audit',
  summary: 'Who did what to which thing of a tenant, the newest first',
  auth: 'admin',
  self: own,
  params: tenantParams,
  query: pageQuerySchema.extend({
    /** Exactly this one: `routes.changed`. */
    action: word.optional(),
    subject: word.optional(),
    /** Id of a key or a member, `admin-key`, or `hub`. */
    actor: word.optional(),
    from: givenInstantSchema.optional(),
    /** Up to and without this moment. */
    to: givenInstantSchema.optional(),
  }),
  reply: { status: 200, schema: pageOf(auditRecordSchema) },
  errors: ['tenant.not_found'],
});

export const exportAudit = defineRouteContract({
  method: 'GET',
  path: '/tenants/:tenantId/audit/export',
  summary: 'The whole chain as JSON lines, the oldest first; ask again after the sequence of the last line until nothing comes',
  auth: 'admin',
  self: own,
  params: tenantParams,
  query: z.object({
    afterSequence: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0),
    limit: z.coerce.number().int().min(1).max(10_000).default(1_000),
  }),
  reply: { status: 200, schema: z.string(), mediaType: 'application/x-ndjson' },
  errors: ['tenant.not_found'],
});

export const verifyAudit = defineRouteContract({
  method: 'GET',
  path: '/tenants/:tenantId/audit/verify',
  summary: 'Whether the chain is whole: follows it from its first entry to its head and names the first one that was changed, replaced or is missing',
  auth: 'admin',
  self: own,
  params: tenantParams,
  reply: {
    status: 200,
    schema: z.object({
      ok: z.boolean(),
      /** Entries that are good, from the first one on. */
      entries: z.number().int().nonnegative(),
      /** Where the chain ends. Who keeps it elsewhere can tell even a chain that was written anew as a whole. */
      head: z.object({ sequence: z.number().int().nonnegative(), hash }),
      firstBroken: z.object({ sequence: z.number().int(), id: z.string().nullable(), fault: z.enum(['changed', 'unlinked', 'missing', 'surplus']) }).nullable(),
    }),
  },
  errors: ['tenant.not_found'],
});
