import { z } from 'zod';
import { plans, tenantStatuses } from '../events.ts';
import { subdomainPattern, tenantIdSchema } from '../ids.ts';
import { pageOf, pageQuerySchema } from './paging.ts';
import { defineRouteContract } from './route-contract.ts';
import { timeZoneSchema } from './time-zone.ts';

/** Tenants: what the platform does with them, and what a tenant may do with itself. */

/** Requests a minute of a tenant whose creator did not say. */
export const rateLimitDefault = 100;

/** A single line as people write it. */
const printable = /^[ -~\u0080-\uffff]*$/;

/** Postgres keeps neither a zero character nor half of a surrogate pair, which JSON writes as escapes. */
const isStorable = (value: unknown): boolean => !/\\u(?:0000|d[89a-f])/i.test(JSON.stringify(value));

const metadataSchema = z.record(z.string().max(64), z.unknown()).refine(isStorable, 'use no zero character and whole surrogate pairs').refine((value) => JSON.stringify(value).length <= 16_384, 'use at most 16 KiB');

/** Names under a base domain that are the platform's own, or that people would take for its own. */
const reservedSubdomains: ReadonlySet<string> = new Set([
  'www', 'api', 'admin', 'app', 'docs', 'mail', 'smtp', 'imap', 'pop', 'ftp', 'ns', 'ns1', 'ns2', 'mx', 'autodiscover', 'autoconfig', 'localhost', 'status', 'support', 'help',
  'billing', 'login', 'auth', 'sso', 'oauth', 'id', 'account', 'accounts', 'hub', 'gateway', 'webhooks', 'hooks', 'console', 'dashboard', 'static', 'assets', 'cdn', 'media', 'files',
  'blog', 'dev', 'test', 'staging', 'internal', 'platform', 'root', 'security', 'postmaster', 'hostmaster', 'webmaster', 'abuse', 'switchboard',
]);

const subdomainSchema = z
  .string()
  .regex(subdomainPattern, 'use 1 to 63 of a-z, 0-9 and "-", neither starting nor ending with "-"')
  .refine((name) => !reservedSubdomains.has(name), 'is reserved for the platform');

const nameSchema = z.string().trim().min(1).max(200).regex(printable, 'use no control characters');
/** Requests a minute. */
const rateLimitSchema = z.number().int().min(1).max(10_000_000);

const originSchema = z.string().max(300).refine(isWebOrigin, 'use an origin as browsers send it: https://host or https://host:port, http for localhost alone');

function isWebOrigin(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { origin, protocol, hostname } = new URL(value);
  return origin === value && (protocol === 'https:' || (protocol === 'http:' && hostname === 'localhost'));
}

/** The published form of a tenant; its field names are older than the rule of camelCase. */
const tenantRecordSchema = z.object({
  tenant_id: tenantIdSchema,
  name: z.string(),
  subdomain: z.string().nullable(),
  status: z.enum(tenantStatuses),
  plan: z.enum(plans),
  /** Requests a minute. */
  rate_limit: z.number().int().positive(),
  metadata: z.record(z.string(), z.unknown()),
  /** Present when one was chosen; otherwise days end in UTC. */
  time_zone: z.string().optional(),
  /** Present when there are some: origins of web pages that may call the API from a browser. */
  cors_origins: z.array(z.string()).optional(),
  /** Present when it is deleted: until then it can be restored, afterwards everything of it is erased. */
  delete_after: z.iso.datetime().optional(),
  created_at: z.iso.datetime(),
});
export type TenantRecord = z.infer<typeof tenantRecordSchema>;

const tenantParams = z.object({ tenantId: tenantIdSchema });

export const createTenant = defineRouteContract({
  method: 'POST',
  path: '/tenants',
  summary: 'Creates a tenant and its first API key, which is shown this once; with an Idempotency-Key, a repetition within 24 hours answers the same',
  auth: 'admin',
  body: z.object({
    tenantId: tenantIdSchema,
    name: nameSchema,
    subdomain: subdomainSchema.optional(),
    plan: z.enum(plans).default('starter'),
    rateLimit: rateLimitSchema.default(rateLimitDefault),
    metadata: metadataSchema.default({}),
    timeZone: timeZoneSchema.optional(),
  }),
  reply: { status: 201, schema: z.object({ tenant: tenantRecordSchema, apiKey: z.string(), message: z.string() }) },
  errors: ['tenant.taken', 'tenant.subdomain_taken', 'request.idempotency_conflict'],
});

export const listTenants = defineRouteContract({
  method: 'GET',
  path: '/tenants',
  summary: 'All tenants, by id',
  auth: 'admin',
  query: pageQuerySchema.extend({
    status: z.enum(tenantStatuses).optional(),
    plan: z.enum(plans).optional(),
    /** Found in the id, the name or the subdomain, in either case. */
    text: z.string().trim().min(1).max(100).regex(printable, 'use no control characters').optional(),
  }),
  reply: { status: 200, schema: pageOf(tenantRecordSchema) },
});

export const getTenant = defineRouteContract({
  method: 'GET',
  path: '/tenants/:tenantId',
  summary: 'One tenant',
  auth: 'admin',
  self: { scopes: ['tenant:read'] },
  params: tenantParams,
  reply: { status: 200, schema: tenantRecordSchema },
  errors: ['tenant.not_found'],
});

export const updateTenant = defineRouteContract({
  method: 'PATCH',
  path: '/tenants/:tenantId',
  summary: 'Changes a tenant; the tenant itself may change all but plan, rateLimit and status. Status "active" restores a deleted one until its grace time has ended',
  auth: 'admin',
  self: { scopes: ['tenant:write'] },
  params: tenantParams,
  body: z.object({
    name: nameSchema.optional(),
    /** Null gives it up. */
    subdomain: subdomainSchema.nullable().optional(),
    plan: z.enum(plans).optional(),
    rateLimit: rateLimitSchema.optional(),
    /** Replaces all of it. */
    metadata: metadataSchema.optional(),
    timeZone: timeZoneSchema.optional(),
    /** Replaces all of them. */
    corsOrigins: z.array(originSchema).max(50).refine((origins) => new Set(origins).size === origins.length, 'name each origin once').optional(),
    status: z.enum(['active', 'suspended']).optional(),
  }),
  reply: { status: 200, schema: tenantRecordSchema },
  errors: ['tenant.not_found', 'tenant.subdomain_taken', 'tenant.deleted'],
});

export const deleteTenant = defineRouteContract({
  method: 'DELETE',
  path: '/tenants/:tenantId',
  summary: 'Shuts a tenant out at once and erases everything of it after a grace time, until which it can be restored; repeated with graceHours it sets the time anew',
  auth: 'admin',
  params: tenantParams,
  query: z.object({ graceHours: z.coerce.number().min(0).max(87_600).optional() }),
  reply: { status: 200, schema: tenantRecordSchema },
  errors: ['tenant.not_found', 'tenant.deleted'],
});

const eraseReceiptSchema = z.object({
  tenantId: tenantIdSchema,
  begunAt: z.iso.datetime(),
  /** Null as long as something is missing. */
  completedAt: z.iso.datetime().nullable(),
  /** What each service has erased. */
  services: z.array(z.object({ service: z.string(), at: z.iso.datetime(), /** By table. */ rows: z.record(z.string(), z.number().int().nonnegative()) })),
  /** Services that have not said yet that they have erased. */
  missing: z.array(z.string()),
  /** Whether the hub's webhooks were removed at the provider, by connection. */
  webhooks: z.array(z.object({ connectionId: z.string(), provider: z.string(), outcome: z.enum(['removed', 'nothing_to_remove', 'failed']), reason: z.string().nullable() })),
  /** What the tenant's audit was before it was erased, to compare an exported one with: its length, and its last hash where the chain has one. */
  audit: z.object({ entries: z.number().int().nonnegative(), headHash: z.string().nullable() }).nullable(),
});
export type EraseReceipt = z.infer<typeof eraseReceiptSchema>;

export const getEraseReceipt = defineRouteContract({
  method: 'GET',
  path: '/tenants/:tenantId/erase-receipt',
  summary: 'What was erased of a tenant, when and by which service; of the last time, where the id was used again',
  auth: 'admin',
  params: tenantParams,
  reply: { status: 200, schema: eraseReceiptSchema },
  errors: ['tenant.not_found'],
});
