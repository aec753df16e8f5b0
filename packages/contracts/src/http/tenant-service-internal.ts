import { z } from 'zod';
import { plans, tenantStatuses, routeSchema } from '../events.ts';
import { connectionIdSchema, providerIdSchema, roleSchema, tenantIdSchema } from '../ids.ts';
import { defineRouteContract } from './route-contract.ts';

/**
 * What services ask tenant-service. Calls about one tenant's thing carry that tenant in the internal token; the look-ups that find the
 * tenant (by key, by routing identifier) carry none.
 */

const connectionStatus = z.enum(['active', 'pending', 'disabled']);

/** A connection with everything its connector needs. Secrets inside: kept in memory for a minute at most, never logged. */
const connectionWithSecretsSchema = z.object({
  tenantId: tenantIdSchema,
  connectionId: connectionIdSchema,
  provider: providerIdSchema,
  role: roleSchema,
  status: connectionStatus,
  version: z.number().int().positive(),
  /** By the names of the provider's registry entry (`phoneNumberId`, `integrationId` …). */
  routingIdentifiers: z.record(z.string(), z.string()),
  settings: z.record(z.string(), z.string()),
  credentials: z.record(z.string(), z.string()),
});
export type ConnectionWithSecrets = z.infer<typeof connectionWithSecretsSchema>;

export const getConnectionInternal = defineRouteContract({
  method: 'GET',
  path: '/internal/connections/:connectionId',
  summary: 'A connection with its opened credentials, for its connector and auth-service',
  auth: 'internal',
  callers: ['whatsapp-connector', 'genesys-connector', 'chatwoot-connector', 'botpress-connector', 'twilio-connector', 'auth-service'],
  params: z.object({ connectionId: connectionIdSchema }),
  reply: { status: 200, schema: connectionWithSecretsSchema },
  errors: ['connection.not_found'],
});

/** What ingest needs of a connection: where it belongs and which secrets verify its webhooks, the current one first. */
const webhookConnectionSchema = z.object({
  tenantId: tenantIdSchema,
  connectionId: connectionIdSchema,
  provider: providerIdSchema,
  status: connectionStatus,
  version: z.number().int().positive(),
  routingIdentifiers: z.record(z.string(), z.string()),
  webhookSecrets: z.array(z.object({ value: z.string(), expiresAt: z.iso.datetime().nullable() })),
  /** The tenant's token for the provider's handshake (Meta's `hub.verify_token`). */
  verifyToken: z.string().nullable(),
  /** What ingest must know to answer the provider's webhooks with content (a greeting): the registry's `answerSettings`. No secrets. */
  answerSettings: z.record(z.string(), z.string()).optional(),
});
export type WebhookConnection = z.infer<typeof webhookConnectionSchema>;

export const findWebhookConnections = defineRouteContract({
  method: 'POST',
  path: '/internal/webhook-connections/find',
  summary: 'Connections with their webhook secrets, by id, by routing identifier or by verify token, over all tenants',
  auth: 'internal',
  callers: ['webhook-ingest'],
  body: z.object({
    connectionIds: z.array(connectionIdSchema).max(100).default([]),
    routingIdentifiers: z.array(z.object({ provider: providerIdSchema, name: z.string(), value: z.string() })).max(1000).default([]),
    verifyToken: z.object({ provider: providerIdSchema, value: z.string().max(512) }).optional(),
  }),
  reply: { status: 200, schema: z.object({ connections: z.array(webhookConnectionSchema) }) },
});

export const listWebhookConnections = defineRouteContract({
  method: 'GET',
  path: '/internal/webhook-connections',
  summary: 'All connections with their webhook secrets, page by page, for ingest to build its copy',
  auth: 'internal',
  callers: ['webhook-ingest'],
  query: z.object({ limit: z.coerce.number().int().min(1).max(1000).default(500), cursor: z.string().optional() }),
  reply: { status: 200, schema: z.object({ data: z.array(webhookConnectionSchema), nextCursor: z.string().nullable() }) },
});

export const getRoutesInternal = defineRouteContract({
  method: 'GET',
  path: '/internal/routes',
  summary: 'Routes and connections (without secrets) of the token\'s tenant, for state-manager and for moving an account',
  auth: 'internal',
  callers: ['state-manager', 'chatwoot-connector', 'botpress-connector', 'twilio-connector'],
  reply: {
    status: 200,
    schema: z.object({
      version: z.number().int().nonnegative(),
      timeZone: z.string(),
      plan: z.enum(plans),
      routes: z.array(routeSchema),
      connections: z.array(z.object({ connectionId: connectionIdSchema, provider: providerIdSchema, role: roleSchema, status: connectionStatus, createdAt: z.iso.datetime() })),
    }),
  },
});
export type TenantRouting = z.infer<typeof getRoutesInternal.reply.schema>;

export const replaceConnectionInRoutes = defineRouteContract({
  method: 'POST',
  path: '/internal/routes/replace-connection',
  summary: 'Every route of the token\'s tenant that names one connection names another one from now on, all at once; repeated, it changes nothing',
  auth: 'internal',
  callers: ['chatwoot-connector'],
  body: z.object({ from: connectionIdSchema, /** Of the same provider and role. */ to: connectionIdSchema }),
  reply: { status: 200, schema: z.object({ /** Of the routes, as after every change of them. */ version: z.number().int().nonnegative(), /** Routes that named it. */ replaced: z.number().int().nonnegative() }) },
  errors: ['connection.not_found', 'route.invalid'],
});

export const retireConnection = defineRouteContract({
  method: 'POST',
  path: '/internal/connections/:connectionId/retire',
  summary: 'Removes a connection whose account a tenant has moved away from, with what the hub made for it at the provider; conversations keep their history',
  auth: 'internal',
  callers: ['chatwoot-connector'],
  params: z.object({ connectionId: connectionIdSchema }),
  reply: { status: 200, schema: z.object({ id: connectionIdSchema, atProvider: z.object({ outcome: z.enum(['removed', 'nothing_to_remove', 'failed']), reason: z.string().optional() }) }) },
  errors: ['connection.not_found'],
});

/** What the gateway needs of a tenant to decide about a request. */
const tenantFactsSchema = z.object({
  tenantId: tenantIdSchema,
  status: z.enum(tenantStatuses),
  plan: z.enum(plans),
  /** Requests a minute. */
  rateLimit: z.number().int().positive(),
  subdomain: z.string().nullable(),
  /** Origins of web pages that may call the API from a browser, exactly as browsers send them. */
  corsOrigins: z.array(z.string()),
});
export type TenantFacts = z.infer<typeof tenantFactsSchema>;

const resolvedApiKeySchema = z.object({
  keyId: z.string(),
  scopes: z.array(z.string()),
  expiresAt: z.iso.datetime().nullable(),
  /** Networks the key may be used from; everywhere when empty. */
  cidrs: z.array(z.string()),
  /** Requests a minute of this key alone, where it has a limit of its own. */
  rateLimit: z.number().int().positive().nullable(),
  tenant: tenantFactsSchema,
});

export const resolveApiKey = defineRouteContract({
  method: 'POST',
  path: '/internal/api-keys/resolve',
  summary: 'The tenant behind an API key, of our form or brought along from a single-tenant installation',
  auth: 'internal',
  callers: ['api-gateway'],
  body: z.object({ apiKey: z.string().max(256) }),
  reply: { status: 200, schema: resolvedApiKeySchema },
  errors: ['auth.missing'],
});
export type ResolvedApiKey = z.infer<typeof resolveApiKey.reply.schema>;

/** Keys that one question may be about. */
export const resolvedApiKeysMax = 500;

export const resolveApiKeys = defineRouteContract({
  method: 'POST',
  path: '/internal/api-keys/resolve-many',
  summary: 'The tenants behind API keys of our form, in the order asked; null for each that does not open',
  auth: 'internal',
  callers: ['api-gateway'],
  body: z.object({ apiKeys: z.array(z.string().max(256)).min(1).max(resolvedApiKeysMax) }),
  reply: {
    status: 200,
    schema: z.object({
      keys: z.array(resolvedApiKeySchema.omit({ tenant: true }).extend({ tenantId: tenantIdSchema }).nullable()),
      /** Those of the keys, each once. */
      tenants: z.array(tenantFactsSchema),
    }),
  },
});

/**
 * Whether any tenant has a key that was brought along (`migrate:single-tenant`). Where there is none, a text without our form is refused
 * before anybody is asked.
 */
export const findLegacyApiKeys = defineRouteContract({
  method: 'GET',
  path: '/internal/api-keys/legacy',
  summary: 'Whether the installation has API keys that are not of our form',
  auth: 'internal',
  callers: ['api-gateway'],
  reply: { status: 200, schema: z.object({ any: z.boolean() }) },
});

export const resolveTenant = defineRouteContract({
  method: 'POST',
  path: '/internal/tenants/resolve',
  summary: 'A tenant by its id or its subdomain, in any status; null when there is none',
  auth: 'internal',
  callers: ['api-gateway', 'auth-service', 'botpress-connector'],
  body: z.union([z.object({ tenantId: tenantIdSchema }), z.object({ subdomain: z.string().max(63) })]),
  reply: { status: 200, schema: z.object({ tenant: tenantFactsSchema.nullable() }) },
});

export const findCorsOrigin = defineRouteContract({
  method: 'POST',
  path: '/internal/cors-origins/find',
  summary: 'Whether any active tenant allows this origin: a browser asks before it sends the key',
  auth: 'internal',
  callers: ['api-gateway'],
  body: z.object({ origin: z.string().max(300) }),
  reply: { status: 200, schema: z.object({ isAllowed: z.boolean() }) },
});

/** Tenants of one batch of API calls: what fits into its body, whatever their ids. */
const callsMax = 5_000;

export const recordApiCalls = defineRouteContract({
  method: 'POST',
  path: '/internal/api-calls',
  summary: 'API calls that the gateway has counted since its last batch. A batch that is sent again counts once; tenants nobody knows are passed over',
  auth: 'internal',
  callers: ['api-gateway'],
  body: z.object({
    /** New for each batch, the same when it is sent again. */
    batchId: z.string().min(16).max(64),
    calls: z
      .array(
        z.object({
          tenantId: tenantIdSchema,
          count: z.number().int().positive(),
          /** When they were made: says the month, in the tenant's time zone. */
          at: z.iso.datetime(),
        }),
      )
      .min(1)
      .max(callsMax),
  }),
  reply: { status: 204, schema: z.void() },
  bodyMaxBytes: 1024 * 1024,
});
