import { z } from 'zod';
import { connectionIdSchema, tenantIdSchema } from '../ids.ts';
import { defineRouteContract, memberRoles } from './route-contract.ts';

export * from './members.ts';
export * from './sessions.ts';
export * from './staff.ts';

export const getProviderToken = defineRouteContract({
  method: 'POST',
  path: '/internal/provider-tokens/:connectionId',
  summary: 'An access token of the provider for this connection; cached until shortly before it expires',
  auth: 'internal',
  callers: ['whatsapp-connector', 'genesys-connector'],
  params: z.object({ connectionId: connectionIdSchema }),
  body: z.object({
    /** A fingerprint of the token the provider just refused with 401: it is dropped, and one new token is fetched. */
    refusedFingerprint: z.string().max(64).optional(),
  }),
  reply: { status: 200, schema: z.object({ accessToken: z.string(), fingerprint: z.string(), expiresAt: z.iso.datetime() }) },
  errors: ['connection.not_found', 'provider.unauthorized', 'provider.throttled', 'provider.unavailable'],
});

/** Who a bearer token speaks for. */
const tokenHolderSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('member'),
    tenantId: tenantIdSchema,
    /** Id of the member, or `iss_…:<sub>` of a trusted issuer's token. */
    subject: z.string(),
    role: z.enum(memberRoles),
    scopes: z.array(z.string()),
    /** When the token ends by itself. */
    expiresAt: z.iso.datetime(),
  }),
  z.object({ kind: z.literal('platform'), subject: z.string(), expiresAt: z.iso.datetime() }),
]);
export type TokenHolder = z.infer<typeof tokenHolderSchema>;

export const verifyToken = defineRouteContract({
  method: 'POST',
  path: '/internal/tokens/verify',
  summary: 'Verifies a bearer token, ours or of a trusted issuer, and says whom it speaks for now: a disabled member or an ended session is nobody',
  auth: 'internal',
  callers: ['api-gateway'],
  body: z.object({ token: z.string().max(8_192) }),
  reply: { status: 200, schema: tokenHolderSchema },
  errors: ['auth.missing', 'service.unavailable'],
});
