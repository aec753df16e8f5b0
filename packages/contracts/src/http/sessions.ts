import { z } from 'zod';
import { tenantIdSchema } from '../ids.ts';
import { emailSchema, meSchema, newPasswordSchema, passwordSchema, personNameSchema, secretTokenSchema } from './people.ts';
import { defineRouteContract, personRoles } from './route-contract.ts';

/** Logging in, staying in, getting out; the keys that access tokens are verified with. */

export const openSessionSchema = z.object({
  tokenType: z.literal('Bearer'),
  /** A JWT (ES256) of a quarter of an hour, for Authorization: Bearer. */
  accessToken: z.string(),
  accessTokenExpiresAt: z.iso.datetime(),
  /** Good for one refresh, whose answer carries the next one. */
  refreshToken: z.string(),
  /** When the session ends unless it is refreshed before. */
  refreshTokenExpiresAt: z.iso.datetime(),
  member: meSchema,
});
export type OpenSession = z.infer<typeof openSessionSchema>;

/** The password was right and is not enough: a second factor is asked for. */
const challengeSchema = z.object({ token: z.string(), methods: z.array(z.string()), expiresAt: z.iso.datetime() });
export type LoginChallenge = z.infer<typeof challengeSchema>;

export const loginReplySchema = z.union([openSessionSchema, z.object({ challenge: challengeSchema })]);
export type LoginReply = z.infer<typeof loginReplySchema>;

export const login = defineRouteContract({
  method: 'POST',
  path: '/auth/login',
  summary: 'Logs a person in, by e-mail address and password; without a tenant, by subdomain or in the body, a person of the platform',
  auth: 'public',
  body: z.object({ tenantId: tenantIdSchema.optional(), email: emailSchema, password: passwordSchema }),
  reply: { status: 200, schema: loginReplySchema },
  errors: ['auth.login_failed', 'tenant.mismatch', 'limit.rate_exceeded', 'service.unavailable'],
});

export const refreshSession = defineRouteContract({
  method: 'POST',
  path: '/auth/refresh',
  summary: 'A new access token and the next refresh token. The same request once more within ten seconds is answered the same, as long as the next token was not used; later it is taken for a stolen one, and the session ends',
  auth: 'public',
  body: z.object({ refreshToken: secretTokenSchema }),
  reply: { status: 200, schema: openSessionSchema },
  errors: ['auth.session_ended'],
});

export const logout = defineRouteContract({
  method: 'POST',
  path: '/auth/logout',
  summary: 'Ends the session of a refresh token; nothing happens when it has ended',
  auth: 'public',
  body: z.object({ refreshToken: secretTokenSchema }),
  reply: { status: 204, schema: z.void() },
});

export const getMe = defineRouteContract({
  method: 'GET',
  path: '/auth/me',
  summary: 'Whoever is logged in',
  auth: 'member',
  roles: personRoles,
  reply: { status: 200, schema: meSchema },
  errors: ['member.not_found'],
});

export const endMySessions = defineRouteContract({
  method: 'DELETE',
  path: '/auth/sessions',
  summary: 'Ends every session of whoever is logged in, on every device',
  auth: 'member',
  roles: personRoles,
  reply: { status: 204, schema: z.void() },
  errors: ['member.not_found'],
});

export const changePassword = defineRouteContract({
  method: 'POST',
  path: '/auth/password',
  summary: 'Changes the own password and ends every session but that of the refresh token that is sent along',
  auth: 'member',
  roles: personRoles,
  body: z.object({ currentPassword: passwordSchema, newPassword: newPasswordSchema, refreshToken: secretTokenSchema.optional() }),
  reply: { status: 204, schema: z.void() },
  errors: ['member.not_found', 'auth.login_failed', 'limit.rate_exceeded', 'service.unavailable'],
});

export const requestPasswordReset = defineRouteContract({
  method: 'POST',
  path: '/auth/password/reset-requests',
  summary: 'Says that a password was forgotten. The hub sends no mail: the request stands in the audit of the tenant, where an admin can make the link. Answers the same whether there is such an account or not',
  auth: 'public',
  body: z.object({ tenantId: tenantIdSchema.optional(), email: emailSchema }),
  reply: { status: 202, schema: z.object({ message: z.string() }) },
  errors: ['tenant.mismatch', 'limit.rate_exceeded'],
});

export const resetPassword = defineRouteContract({
  method: 'POST',
  path: '/auth/password/resets',
  summary: 'Sets a new password by the one-time token of a link, and ends every session',
  auth: 'public',
  body: z.object({ token: secretTokenSchema, newPassword: newPasswordSchema }),
  reply: { status: 204, schema: z.void() },
  errors: ['auth.link_invalid', 'service.unavailable'],
});

export const acceptInvitation = defineRouteContract({
  method: 'POST',
  path: '/auth/invitations/accept',
  summary: 'Accepts an invitation by its one-time token: sets name and password and logs in',
  auth: 'public',
  body: z.object({ token: secretTokenSchema, name: personNameSchema, password: newPasswordSchema }),
  reply: { status: 200, schema: openSessionSchema },
  errors: ['auth.link_invalid', 'service.unavailable'],
});

export const getJwks = defineRouteContract({
  method: 'GET',
  path: '/.well-known/jwks.json',
  summary: 'The public keys of access tokens (RFC 7517); the next one stands here before it signs',
  auth: 'public',
  reply: {
    status: 200,
    schema: z.object({ keys: z.array(z.object({ kty: z.literal('EC'), crv: z.literal('P-256'), x: z.string(), y: z.string(), kid: z.string(), alg: z.literal('ES256'), use: z.literal('sig') })) }),
  },
});

export const rotateSigningKeys = defineRouteContract({
  method: 'POST',
  path: '/auth/signing-keys/rotate',
  summary: 'Publishes the next signing key, which signs from a quarter of an hour later on; when one is published already, says so',
  auth: 'admin',
  reply: { status: 200, schema: z.object({ kid: z.string(), signsFrom: z.iso.datetime() }) },
});
