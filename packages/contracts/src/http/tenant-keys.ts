import { z } from 'zod';
import { apiKeyIdSchema, tenantIdSchema } from '../ids.ts';
import { givenInstantSchema } from './given-instant.ts';
import { pageOf, pageQuerySchema } from './paging.ts';
import { defineRouteContract, scopes } from './route-contract.ts';

/** API keys of a tenant: for its machines. Their text is shown once, when they are made. */

const cidrSchema = z.union([z.cidrv4(), z.cidrv6()], 'use a network such as 203.0.113.0/24 or 2001:db8::/32');

const apiKeySchema = z.object({
  keyId: apiKeyIdSchema,
  name: z.string(),
  /** How the key's text begins; null for one that was brought along from another installation. */
  prefix: z.string().nullable(),
  scopes: z.array(z.string()),
  /** Networks it may be used from; everywhere when empty. */
  cidrs: z.array(z.string()),
  /** Requests a minute of this key alone; null: the tenant's limit is its only one. */
  rateLimit: z.number().int().positive().nullable(),
  status: z.enum(['active', 'expired', 'revoked']),
  createdAt: z.iso.datetime(),
  /** To the minute. */
  lastUsedAt: z.iso.datetime().nullable(),
  expiresAt: z.iso.datetime().nullable(),
  revokedAt: z.iso.datetime().nullable(),
  /** The key that was made to take its place. */
  replacedBy: apiKeyIdSchema.nullable(),
});
export type ApiKeyRecord = z.infer<typeof apiKeySchema>;

const newApiKeySchema = z.object({ key: apiKeySchema, apiKey: z.string() });

const tenantParams = z.object({ tenantId: tenantIdSchema });
const keyParams = z.object({ tenantId: tenantIdSchema, keyId: apiKeyIdSchema });

/** Hours that a replaced key goes on working where the caller does not say: a day to roll out the new one. */
export const keyOverlapHoursDefault = 24;

/** Active keys of one tenant: many times what machines need, and few enough to be listed, counted and kept in memory. */
export const apiKeysMax = 500;

export const createApiKey = defineRouteContract({
  method: 'POST',
  path: '/tenants/:tenantId/keys',
  summary:
    'Makes an API key, whose text is shown this once; with an Idempotency-Key, a repetition within 24 hours answers the same. Nobody gives it a scope that they do not have; a key also no later expiry, other networks or higher rate than its own, which the new one has where nothing is given',
  auth: 'admin',
  self: { scopes: ['keys:write'] },
  params: tenantParams,
  body: z.object({
    name: z.string().trim().min(1).max(100).regex(/^[ -~\u0080-\uffff]*$/, 'use no control characters'),
    scopes: z.array(z.enum(scopes)).min(1).refine((all) => new Set(all).size === all.length, 'name each scope once'),
    expiresAt: givenInstantSchema.optional(),
    cidrs: z.array(cidrSchema).max(100).default([]),
    rateLimit: z.number().int().min(1).max(10_000_000).optional(),
  }),
  reply: { status: 201, schema: newApiKeySchema },
  isRepeatable: true,
  errors: ['tenant.not_found', 'api_key.too_many', 'request.idempotency_conflict'],
});

export const listApiKeys = defineRouteContract({
  method: 'GET',
  path: '/tenants/:tenantId/keys',
  summary: 'API keys of a tenant, oldest first, without what opens anything',
  auth: 'admin',
  self: { scopes: ['tenant:read'] },
  params: tenantParams,
  query: pageQuerySchema,
  reply: { status: 200, schema: pageOf(apiKeySchema) },
  errors: ['tenant.not_found'],
});

export const getApiKey = defineRouteContract({
  method: 'GET',
  path: '/tenants/:tenantId/keys/:keyId',
  summary: 'One API key of a tenant',
  auth: 'admin',
  self: { scopes: ['tenant:read'] },
  params: keyParams,
  reply: { status: 200, schema: apiKeySchema },
  errors: ['tenant.not_found', 'api_key.not_found'],
});

export const rotateApiKey = defineRouteContract({
  method: 'POST',
  path: '/tenants/:tenantId/keys/:keyId/rotate',
  summary: 'Makes a key that can do the same and is shown this once; the old one goes on working for some hours. With an Idempotency-Key, a repetition within 24 hours answers the same',
  auth: 'admin',
  self: { scopes: ['keys:write'] },
  params: keyParams,
  body: z.object({ overlapHours: z.number().min(0).max(720).default(keyOverlapHoursDefault) }),
  reply: { status: 201, schema: newApiKeySchema },
  isRepeatable: true,
  errors: ['tenant.not_found', 'api_key.not_found', 'api_key.not_active', 'api_key.too_many', 'request.idempotency_conflict'],
});

export const revokeApiKey = defineRouteContract({
  method: 'DELETE',
  path: '/tenants/:tenantId/keys/:keyId',
  summary: 'Ends an API key everywhere within seconds; repeated it changes nothing',
  auth: 'admin',
  self: { scopes: ['keys:write'] },
  params: keyParams,
  reply: { status: 204, schema: z.undefined() },
  errors: ['tenant.not_found', 'api_key.not_found'],
});
