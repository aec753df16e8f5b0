import { z } from 'zod';
import { issuerIdSchema, tenantIdSchema } from '../ids.ts';
import { pageOf, pageQuerySchema } from './paging.ts';
import { isPlainText, notPlain } from './plain-text.ts';
import { defineRouteContract, memberRoles } from './route-contract.ts';

/**
 * Issuers of tokens that are trusted besides the hub itself, for one tenant or for all of them. A token names its tenant in `tenant_id`, carries `exp`
 * at most a day ahead and the audience of the record, and is signed by the one algorithm of the record; its claim `role` holds up to `maxRole`.
 */

/** Signatures that are verified with a public key. */
export const issuerAlgorithms = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'] as const;
export type IssuerAlgorithm = (typeof issuerAlgorithms)[number];

const textSchema = z.string().min(1).max(500).refine(isPlainText, notPlain);

const terms = {
  /** The tokens' `iss`, letter for letter. */
  issuer: textSchema,
  /** What the tokens' `aud` must hold: an issuer makes tokens for others too. */
  audience: textSchema,
  /** The most that a token may make of its bearer. */
  maxRole: z.enum(memberRoles).default('agent'),
};

/** Characters, and so at least as many bytes: RFC 7518 §3.2 wants a secret as long as the hash. */
const secretLength = { min: 32, max: 512 } as const;

const trustSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('jwks'), ...terms, /** Where the issuer publishes its public keys. */ jwksUrl: z.url({ protocol: /^https?$/ }).max(2_000).refine(isPlainText, notPlain), algorithm: z.enum(issuerAlgorithms) }),
  z.object({ kind: z.literal('hs256'), ...terms, /** Never shown again. */ secret: z.string().min(secretLength.min, `use at least ${secretLength.min} characters`).max(secretLength.max) }),
]);
export type TrustedIssuer = z.output<typeof trustSchema>;

const recordSchema = z.object({
  issuerId: issuerIdSchema,
  kind: z.enum(['jwks', 'hs256']),
  issuer: z.string(),
  audience: z.string(),
  jwksUrl: z.string().nullable(),
  algorithm: z.enum([...issuerAlgorithms, 'HS256']),
  maxRole: z.enum(memberRoles),
  isEnabled: z.boolean(),
  createdAt: z.iso.datetime(),
});
export type IssuerRecord = z.infer<typeof recordSchema>;

const tenantParams = z.object({ tenantId: tenantIdSchema });
const issuerParams = z.object({ issuerId: issuerIdSchema });
const ofTenant = z.object({ tenantId: tenantIdSchema, issuerId: issuerIdSchema });
const write = { scopes: ['members:write'] } as const;

export const createIssuer = defineRouteContract({
  method: 'POST',
  path: '/tenants/:tenantId/issuers',
  summary: 'Trusts an issuer of tokens for this tenant alone. Nobody gives more than they have: only owners trust one with owners',
  auth: 'admin',
  self: write,
  params: tenantParams,
  body: trustSchema,
  reply: { status: 201, schema: recordSchema },
  errors: ['issuer.taken', 'issuer.too_many', 'egress.refused', 'egress.failed', 'member.owners_only'],
});

export const listIssuers = defineRouteContract({
  method: 'GET',
  path: '/tenants/:tenantId/issuers',
  summary: 'The issuers that this tenant trusts, oldest first; never their secrets',
  auth: 'admin',
  self: { scopes: ['members:read'] },
  params: tenantParams,
  query: pageQuerySchema,
  reply: { status: 200, schema: pageOf(recordSchema) },
});

export const updateIssuer = defineRouteContract({
  method: 'PATCH',
  path: '/tenants/:tenantId/issuers/:issuerId',
  summary: 'Switches an issuer of this tenant off or on; switched off, its tokens open nothing at once',
  auth: 'admin',
  self: write,
  params: ofTenant,
  body: z.object({ isEnabled: z.boolean() }),
  reply: { status: 200, schema: recordSchema },
  errors: ['issuer.not_found', 'member.owners_only'],
});

export const deleteIssuer = defineRouteContract({
  method: 'DELETE',
  path: '/tenants/:tenantId/issuers/:issuerId',
  summary: 'Trusts an issuer of this tenant no more; its tokens open nothing at once',
  auth: 'admin',
  self: write,
  params: ofTenant,
  reply: { status: 204, schema: z.void() },
  errors: ['issuer.not_found'],
});

export const createPlatformIssuer = defineRouteContract({
  method: 'POST',
  path: '/issuers',
  summary: 'Trusts an issuer of tokens for every tenant: its claim tenant_id says for which. For a tenant that trusts an issuer of the same name itself, its own counts',
  auth: 'admin',
  body: trustSchema,
  reply: { status: 201, schema: recordSchema },
  errors: ['issuer.taken', 'issuer.too_many', 'egress.refused', 'egress.failed'],
});

export const listPlatformIssuers = defineRouteContract({
  method: 'GET',
  path: '/issuers',
  summary: 'The issuers that are trusted for every tenant, oldest first; never their secrets',
  auth: 'admin',
  query: pageQuerySchema,
  reply: { status: 200, schema: pageOf(recordSchema) },
});

export const updatePlatformIssuer = defineRouteContract({
  method: 'PATCH',
  path: '/issuers/:issuerId',
  summary: 'Switches an issuer of the platform off or on; gateways that remember one of its tokens forget it within ten seconds',
  auth: 'admin',
  params: issuerParams,
  body: z.object({ isEnabled: z.boolean() }),
  reply: { status: 200, schema: recordSchema },
  errors: ['issuer.not_found'],
});

export const deletePlatformIssuer = defineRouteContract({
  method: 'DELETE',
  path: '/issuers/:issuerId',
  summary: 'Trusts an issuer of the platform no more; gateways that remember one of its tokens forget it within ten seconds',
  auth: 'admin',
  params: issuerParams,
  reply: { status: 204, schema: z.void() },
  errors: ['issuer.not_found'],
});
