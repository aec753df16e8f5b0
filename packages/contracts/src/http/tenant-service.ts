import { z } from 'zod';
import { plans, routeSchema, tenantStatuses } from '../events.ts';
import { connectionIdSchema, providerIdSchema, roleSchema, subdomainPattern, tenantIdSchema } from '../ids.ts';
import { pageOf, pageQuerySchema } from './paging.ts';
import { defineRouteContract } from './route-contract.ts';

/** What the platform asks tenant-service, with the admin key. */

/** Requests a minute of a tenant whose creator did not say. */
export const rateLimitDefault = 100;

const metadataSchema = z.record(z.string().max(64), z.unknown()).refine((value) => JSON.stringify(value).length <= 16_384, 'use at most 16 KiB');

const timeZoneSchema = z.string().max(64).refine(isTimeZone, 'use an IANA time zone, such as Europe/Berlin');

function isTimeZone(value: string): boolean {
  try {
    return Intl.DateTimeFormat('en', { timeZone: value }) !== undefined;
  } catch {
    return false;
  }
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
  created_at: z.iso.datetime(),
});
export type TenantRecord = z.infer<typeof tenantRecordSchema>;

const tenantParams = z.object({ tenantId: tenantIdSchema });
const connectionParams = z.object({ tenantId: tenantIdSchema, connectionId: connectionIdSchema });

export const createTenant = defineRouteContract({
  method: 'POST',
  path: '/tenants',
  summary: 'Creates a tenant and its first API key, which is shown this once',
  auth: 'admin',
  body: z.object({
    tenantId: tenantIdSchema,
    name: z.string().trim().min(1).max(200),
    subdomain: z.string().regex(subdomainPattern, 'use 1 to 63 of a-z, 0-9 and "-", neither starting nor ending with "-"').optional(),
    plan: z.enum(plans).default('starter'),
    /** Requests a minute. */
    rateLimit: z.number().int().min(1).max(10_000_000).default(rateLimitDefault),
    metadata: metadataSchema.default({}),
    timeZone: timeZoneSchema.optional(),
  }),
  reply: { status: 201, schema: z.object({ tenant: tenantRecordSchema, apiKey: z.string(), message: z.string() }) },
  errors: ['tenant.taken', 'tenant.subdomain_taken'],
});

export const listTenants = defineRouteContract({
  method: 'GET',
  path: '/tenants',
  summary: 'All tenants, by id',
  auth: 'admin',
  query: pageQuerySchema,
  reply: { status: 200, schema: pageOf(tenantRecordSchema) },
});

export const getTenant = defineRouteContract({
  method: 'GET',
  path: '/tenants/:tenantId',
  summary: 'One tenant',
  auth: 'admin',
  params: tenantParams,
  reply: { status: 200, schema: tenantRecordSchema },
  errors: ['tenant.not_found'],
});

/** A connection as the platform sees it. Never a secret. */
const connectionSchema = z.object({
  id: connectionIdSchema,
  /** Name of the credentials form. */
  type: z.string(),
  provider: providerIdSchema,
  role: roleSchema,
  /** `pending`: not usable until the provider has confirmed the credentials; `statusReason` says what is missing. */
  status: z.enum(['active', 'pending', 'disabled']),
  /** In the tenant's terms. On an active connection: why credentials posted later are not in use yet. */
  statusReason: z.string().nullable(),
  routingIdentifiers: z.record(z.string(), z.string()),
  /** Where the provider sends this connection's webhooks. */
  webhookUrl: z.string(),
  /** Where one account at the provider may send the webhooks of many connections (one Meta app, many numbers); null where there is no such thing. */
  sharedWebhookUrl: z.string().nullable(),
  settings: z.record(z.string(), z.string()),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});
export type ConnectionRecord = z.infer<typeof connectionSchema>;

export const postCredentials = defineRouteContract({
  method: 'POST',
  path: '/tenants/:tenantId/credentials',
  summary: 'Connects an account at a provider, or replaces the credentials of one that is connected; they are checked with the provider',
  auth: 'admin',
  params: tenantParams,
  body: z.object({
    /** Name of the credentials form: `meta`, `genesys`. */
    type: z.string().min(1).max(64),
    /** Which of the provider's roles; its first one when left out. */
    role: roleSchema.optional(),
    credentials: z.record(z.string(), z.unknown()),
  }),
  reply: { status: 201, schema: connectionSchema },
  errors: ['tenant.not_found', 'connection.type_unknown', 'connection.identifier_taken', 'egress.refused'],
});

export const listConnections = defineRouteContract({
  method: 'GET',
  path: '/tenants/:tenantId/connections',
  summary: 'Connections of a tenant, oldest first',
  auth: 'admin',
  params: tenantParams,
  query: pageQuerySchema,
  reply: { status: 200, schema: pageOf(connectionSchema) },
  errors: ['tenant.not_found'],
});

export const getConnection = defineRouteContract({
  method: 'GET',
  path: '/tenants/:tenantId/connections/:connectionId',
  summary: 'One connection of a tenant',
  auth: 'admin',
  params: connectionParams,
  reply: { status: 200, schema: connectionSchema },
  errors: ['tenant.not_found', 'connection.not_found'],
});

const tenantRoutesSchema = z.object({
  /** Grows with every change. */
  version: z.number().int().nonnegative(),
  /** `automatic`: made by the hub as long as there is one channel and one desk; `chosen`: by PUT. */
  source: z.enum(['automatic', 'chosen']),
  routes: z.array(routeSchema),
});

export const getRoutes = defineRouteContract({
  method: 'GET',
  path: '/tenants/:tenantId/routes',
  summary: 'Which channel goes to which bot and desk',
  auth: 'admin',
  params: tenantParams,
  reply: { status: 200, schema: tenantRoutesSchema },
  errors: ['tenant.not_found'],
});

export const putRoutes = defineRouteContract({
  method: 'PUT',
  path: '/tenants/:tenantId/routes',
  summary: 'Replaces all routes of a tenant; from then on the hub makes none by itself',
  auth: 'admin',
  params: tenantParams,
  body: z.object({ routes: z.array(routeSchema).max(500) }),
  reply: { status: 200, schema: tenantRoutesSchema },
  errors: ['tenant.not_found', 'route.invalid'],
});
