import { z } from 'zod';
import { routeSchema } from '../events.ts';
import { connectionIdSchema, providerIdSchema, roleSchema, tenantIdSchema } from '../ids.ts';
import { pageOf, pageQuerySchema } from './paging.ts';
import { defineRouteContract } from './route-contract.ts';

/** Connections and routes of a tenant: by the platform, and by the tenant itself through the gateway (`/tenant/connections` …). */

const tenantParams = z.object({ tenantId: tenantIdSchema });
const connectionParams = z.object({ tenantId: tenantIdSchema, connectionId: connectionIdSchema });
const forReading = { scopes: ['tenant:read'] } as const;
const forWriting = { scopes: ['tenant:write'] } as const;

const instant = z.iso.datetime();

/** How a connection does, as its traffic tells; an indication, some seconds late. */
const healthSchema = z.object({
  lastWebhookAt: instant.nullable(),
  /** Last time the provider took a message, or said yes to a test. */
  lastSuccessAt: instant.nullable(),
  /** Last time the account itself was in trouble, even if it has worked since. */
  lastError: z.object({ code: z.string(), message: z.string(), at: instant }).nullable(),
  /** Of the access token that the hub got for the connection; null where the provider gives none, or does not say. */
  tokenExpiresAt: instant.nullable(),
});
export type ConnectionHealth = z.infer<typeof healthSchema>;

/** A connection as its tenant and the platform see it. Never a secret. */
const connectionSchema = z.object({
  id: connectionIdSchema,
  /** The tenant's own name for it. */
  name: z.string().nullable(),
  /** Name of the credentials form. */
  type: z.string(),
  provider: providerIdSchema,
  role: roleSchema,
  /** `pending`: not usable until the provider has confirmed the credentials; `statusReason` says what is missing. `disabled`: switched off. */
  status: z.enum(['active', 'pending', 'disabled']),
  /** In the tenant's terms. On an active connection: why credentials posted later are not in use yet. */
  statusReason: z.string().nullable(),
  routingIdentifiers: z.record(z.string(), z.string()),
  /** Where the provider sends this connection's webhooks. */
  webhookUrl: z.string(),
  /** Where one account at the provider may send the webhooks of many connections (one Meta app, many numbers); null where there is no such thing. */
  sharedWebhookUrl: z.string().nullable(),
  settings: z.record(z.string(), z.string()),
  health: healthSchema,
  createdAt: instant,
  updatedAt: instant,
});
export type ConnectionRecord = z.infer<typeof connectionSchema>;

export const postCredentials = defineRouteContract({
  method: 'POST',
  path: '/tenants/:tenantId/credentials',
  summary: 'Connects an account at a provider, or replaces the credentials of one that is connected; they are checked with the provider',
  auth: 'admin',
  self: forWriting,
  params: tenantParams,
  body: z.object({
    /** Name of the credentials form: `meta`, `genesys`. */
    type: z.string().min(1).max(64),
    /** Which of the provider's roles; its first one when left out. */
    role: roleSchema.optional(),
    credentials: z.record(z.string(), z.unknown()),
  }),
  reply: { status: 201, schema: connectionSchema },
  errors: ['tenant.not_found', 'tenant.deleted', 'connection.type_unknown', 'connection.identifier_taken', 'egress.refused'],
});

export const listConnections = defineRouteContract({
  method: 'GET',
  path: '/tenants/:tenantId/connections',
  summary: 'Connections of a tenant, oldest first',
  auth: 'admin',
  self: forReading,
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
  self: forReading,
  params: connectionParams,
  reply: { status: 200, schema: connectionSchema },
  errors: ['tenant.not_found', 'connection.not_found'],
});

export const updateConnection = defineRouteContract({
  method: 'PATCH',
  path: '/tenants/:tenantId/connections/:connectionId',
  summary: 'Renames a connection, changes its settings, switches it off or on; what the provider must agree to is checked with it',
  auth: 'admin',
  self: forWriting,
  params: connectionParams,
  body: z.object({
    name: z.string().trim().min(1).max(200).nullable().optional(),
    /** Fields of the credentials form that are neither secret nor name the account. Where the credentials are sent cannot change here: see rotate. */
    settings: z.record(z.string(), z.unknown()).optional(),
    /** `disabled`: nothing is sent, and webhooks are nobody's. `active`: as soon as the provider confirms. */
    status: z.enum(['active', 'disabled']).optional(),
  }),
  reply: { status: 200, schema: connectionSchema },
  errors: ['tenant.not_found', 'connection.not_found', 'connection.not_active', 'connection.identifier_taken', 'egress.refused'],
});

export const rotateCredentials = defineRouteContract({
  method: 'POST',
  path: '/tenants/:tenantId/connections/:connectionId/rotate',
  summary: 'Gives a connection new credentials: the ones in use stay in use until the provider has confirmed the new ones',
  auth: 'admin',
  self: forWriting,
  params: connectionParams,
  body: z.object({
    /** Fields of the credentials form that change; the others stay. A secret that the hub made is made anew. Another address wants every secret anew. */
    credentials: z.record(z.string(), z.unknown()),
  }),
  reply: { status: 200, schema: connectionSchema },
  errors: ['tenant.not_found', 'connection.not_found', 'connection.not_active', 'connection.identifier_taken', 'egress.refused'],
});

export const endPreviousSecrets = defineRouteContract({
  method: 'DELETE',
  path: '/tenants/:tenantId/connections/:connectionId/previous-secrets',
  summary: 'Ends the time in which replaced webhook secrets are still valid',
  auth: 'admin',
  self: forWriting,
  params: connectionParams,
  reply: { status: 200, schema: z.object({ ended: z.number().int().nonnegative() }) },
  errors: ['tenant.not_found', 'connection.not_found'],
});

export const testConnection = defineRouteContract({
  method: 'POST',
  path: '/tenants/:tenantId/connections/:connectionId/test',
  summary: 'Asks the provider now whether the connection works',
  auth: 'admin',
  self: forWriting,
  params: connectionParams,
  reply: { status: 200, schema: z.object({ ok: z.boolean(), checkedAt: instant, /** What is wrong and what to do. */ reason: z.string().optional() }) },
  errors: ['tenant.not_found', 'connection.not_found', 'limit.rate_exceeded'],
});

export const deleteConnection = defineRouteContract({
  method: 'DELETE',
  path: '/tenants/:tenantId/connections/:connectionId',
  summary: 'Removes a connection, its credentials, and what the hub set up for it at the provider; conversations keep their history',
  auth: 'admin',
  self: forWriting,
  params: connectionParams,
  reply: {
    status: 200,
    schema: z.object({
      id: connectionIdSchema,
      /** What became of the hub's webhook at the provider; `failed`: remove it there by hand. */
      atProvider: z.object({ outcome: z.enum(['removed', 'nothing_to_remove', 'failed']), reason: z.string().optional() }),
    }),
  },
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
  self: forReading,
  params: tenantParams,
  reply: { status: 200, schema: tenantRoutesSchema },
  errors: ['tenant.not_found'],
});

export const putRoutes = defineRouteContract({
  method: 'PUT',
  path: '/tenants/:tenantId/routes',
  summary: 'Replaces all routes of a tenant; from then on the hub makes none by itself',
  auth: 'admin',
  self: forWriting,
  params: tenantParams,
  body: z.object({ routes: z.array(routeSchema).max(500) }),
  reply: { status: 200, schema: tenantRoutesSchema },
  errors: ['tenant.not_found', 'route.invalid'],
});
