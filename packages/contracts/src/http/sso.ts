import { z } from 'zod';
import { tenantIdSchema } from '../ids.ts';
import { secretTokenSchema } from './people.ts';
import { isPlainText, notPlain } from './plain-text.ts';
import { defineRouteContract, memberRoles } from './route-contract.ts';
import { loginReplySchema } from './sessions.ts';

/** Single sign-on of a tenant at its own identity provider: OpenID Connect, authorization code with PKCE. */

const httpUrl = z.url({ protocol: /^https?$/ }).max(2_000).refine(isPlainText, notPlain);
const domainSchema = z.string().trim().toLowerCase().max(253).regex(/^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/, 'is not a domain');

const settings = {
  /** Where the provider describes itself: `<issuer>/.well-known/openid-configuration`. */
  issuer: httpUrl,
  clientId: z.string().min(1).max(500).refine(isPlainText, notPlain),
  /** Domains of the e-mail addresses that the provider may speak for. */
  allowedDomains: z.array(domainSchema).min(1).max(50),
  /** Of members that are made at their first log-in. */
  defaultRole: z.enum(memberRoles).exclude(['owner']).default('agent'),
  /** Whether somebody who is no member yet becomes one at their first log-in. */
  createMembers: z.boolean().default(true),
  /** The page that people come back to: it gets `?code=` for POST /auth/sso/exchange, or `?error=`. */
  returnUrl: httpUrl,
};

const recordSchema = z.object({
  ...settings,
  defaultRole: z.enum(memberRoles),
  /** Members above it cannot log in this way: the role of whoever set it up, who could otherwise become more than they are. */
  maxRole: z.enum(memberRoles),
  /** To be registered at the provider. */
  redirectUri: z.string(),
  updatedAt: z.iso.datetime(),
});
export type SsoRecord = z.infer<typeof recordSchema>;

const tenantParams = z.object({ tenantId: tenantIdSchema });
const write = { scopes: ['members:write'] } as const;
const path = '/tenants/:tenantId/sso';

export const putSso = defineRouteContract({
  method: 'PUT',
  path,
  summary: 'Sets up single sign-on, or replaces what was set up. Log-ins under way end',
  auth: 'admin',
  self: write,
  params: tenantParams,
  body: z.object({ ...settings, /** Never shown again. */ clientSecret: z.string().min(1).max(1_000) }),
  reply: { status: 200, schema: recordSchema },
  errors: ['tenant.not_found', 'egress.refused', 'egress.failed', 'auth.scope_missing', 'service.unavailable'],
});

export const getSso = defineRouteContract({
  method: 'GET',
  path,
  summary: 'How single sign-on is set up; never the client secret',
  auth: 'admin',
  self: { scopes: ['members:read'] },
  params: tenantParams,
  reply: { status: 200, schema: recordSchema },
  errors: ['sso.not_found'],
});

export const deleteSso = defineRouteContract({
  method: 'DELETE',
  path,
  summary: 'Ends single sign-on; members and their sessions stay',
  auth: 'admin',
  self: write,
  params: tenantParams,
  reply: { status: 204, schema: z.void() },
  errors: ['sso.not_found'],
});

function visible(lengthMax: number): z.ZodString {
  return z.string().max(lengthMax).regex(/^[ -~]*$/, 'use visible characters');
}

export const startSso = defineRouteContract({
  method: 'GET',
  path: '/auth/sso/start',
  summary: 'Sends a browser to the identity provider of a tenant, named by subdomain or in the query',
  auth: 'public',
  query: z.object({ tenantId: tenantIdSchema.optional() }),
  reply: { status: 302, schema: z.void() },
  errors: ['sso.not_found', 'tenant.mismatch', 'auth.sso_failed', 'limit.rate_exceeded'],
});

export const finishSso = defineRouteContract({
  method: 'GET',
  path: '/auth/sso/callback/:tenantId',
  summary: 'Where the identity provider sends the browser back to; leads on to the page of the settings, with a one-time code or an error',
  auth: 'public',
  params: tenantParams,
  // Providers add more (session_state, scope, prompt …). All in visible characters (RFC 6749 appendix A), and together within the 16 KiB that a request's head may have.
  query: z.looseObject({ state: visible(300), code: visible(2_500).optional(), iss: visible(1_000).optional(), error: visible(200).optional() }),
  reply: { status: 302, schema: z.void() },
  errors: ['auth.link_invalid', 'auth.sso_failed', 'tenant.not_found', 'service.unavailable'],
});

export const exchangeSso = defineRouteContract({
  method: 'POST',
  path: '/auth/sso/exchange',
  summary: 'The session for the one-time code of a single sign-on, within a minute; or the challenge, where there is a second factor',
  auth: 'public',
  body: z.object({ code: secretTokenSchema }),
  reply: { status: 200, schema: loginReplySchema },
  errors: ['auth.link_invalid', 'auth.login_failed'],
});
