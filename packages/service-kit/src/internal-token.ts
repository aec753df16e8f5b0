import { hubError, memberRoles, tenantIdSchema, type MemberRole, type Scope, type TenantId } from '@switchboard/contracts';
import jwt from 'jsonwebtoken';
import { createSecretKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import type { InternalClaims, Via } from './port.ts';

/** Header of calls between services. The gateway strips it from outside. */
export const internalTokenHeader = 'x-switchboard-internal';
/** Where the call came from, as the gateway saw it; believed only beside a token of the gateway, which strips it from outside. */
export const clientAddressHeader = 'x-switchboard-client';

/** Seconds: longer than any call waits, too short to be worth stealing. */
const tokenTtlSeconds = 60;
/** Verified tokens that are remembered, about 1 kB each: the gateway uses one for as long as 40 s for each caller, and there may be thousands of them at a time. */
const rememberedMax = 10_000;

export type VerifiedToken = {
  readonly issuer: string;
  readonly tenantId: TenantId | undefined;
  readonly subject: string;
  readonly scopes: readonly Scope[];
  readonly via: Via;
  readonly role: MemberRole | undefined;
};

const payloadSchema = z.object({
  iss: z.string(),
  exp: z.number(),
  sub: z.string().default(''),
  tenant: tenantIdSchema.optional(),
  scopes: z.array(z.string()).default([]),
  via: z.enum(['key', 'member', 'subdomain', 'platform']).default('key'),
  role: z.enum(memberRoles).optional(),
});

/** The secret as it signs and verifies. Made once: from its text it would be made for each token, which costs four times the signing (39 µs instead of 8). */
export function internalTokenKey(secret: string): KeyObject {
  return createSecretKey(secret, 'utf8');
}

/** Signs a token of `issuer` for `audience`: HS256, 60 seconds. */
export function signInternalToken(secret: string | KeyObject, issuer: string, audience: string, claims: InternalClaims): string {
  return jwt.sign({ tenant: claims.tenantId, scopes: claims.scopes ?? [], sub: claims.subject ?? issuer, via: claims.via, role: claims.role }, secret, {
    algorithm: 'HS256',
    issuer,
    audience,
    expiresIn: tokenTtlSeconds,
  });
}

/** Verifies tokens made for `audience`. The result throws `auth.missing` on any doubt, without saying which. `now` in milliseconds. */
export function internalTokenVerifier(secret: string, audience: string, now: () => number = Date.now): (token: string) => VerifiedToken {
  const key = internalTokenKey(secret);
  const remembered = new Map<string, { readonly token: VerifiedToken; readonly expiresAtMs: number }>();
  return (token) => {
    const known = remembered.get(token);
    if (known !== undefined && known.expiresAtMs > now()) return known.token;
    const { verified, expiresAtMs } = verify(token, { key, audience, now: now() });
    if (remembered.size >= rememberedMax) remembered.clear();
    remembered.set(token, { token: verified, expiresAtMs });
    return verified;
  };
}

function verify(token: string, { key, audience, now }: { key: KeyObject; audience: string; now: number }): { verified: VerifiedToken; expiresAtMs: number } {
  try {
    const payload = payloadSchema.parse(jwt.verify(token, key, { algorithms: ['HS256'], audience, clockTimestamp: Math.floor(now / 1000) }));
    return {
      // Scopes are signed by a service of ours from the catalogue's own; unknown ones match nothing.
      verified: { issuer: payload.iss, tenantId: payload.tenant, subject: payload.sub, scopes: payload.scopes as Scope[], via: payload.via, role: payload.role },
      expiresAtMs: payload.exp * 1000,
    };
  } catch (cause) {
    throw hubError('auth.missing', { cause });
  }
}
