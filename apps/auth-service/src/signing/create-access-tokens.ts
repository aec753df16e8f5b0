import { hubError, isHubError, memberIdSchema, memberRoles, scopesOfRole, tenantIdSchema, type MemberId, type PersonRole } from '@switchboard/contracts';
import { jwtVerify, SignJWT } from 'jose';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { accessTokenMs } from '../domain/lifetimes.ts';
import type { Realm } from '../domain/realm.ts';
import type { SigningKeys } from './create-signing-keys.ts';

/** Whom access tokens are for: the gateways of this installation. */
export const accessTokenAudience = 'switchboard-api';

export type AccessTokenClaims = { readonly realm: Realm; readonly memberId: MemberId; readonly sessionId: string; readonly role: PersonRole };

export interface AccessTokens {
  /** Good for a quarter of an hour, or until the session ends. */
  sign(claims: AccessTokenClaims, sessionEndsAt: Date): Promise<{ readonly token: string; readonly expiresAt: Date }>;
  /** Whom a token of ours was made for. Throws `auth.missing` on any doubt; says nothing of whether the session goes on. */
  verify(token: string): Promise<Omit<AccessTokenClaims, 'role'> & { readonly expiresAt: Date }>;
}

const claimsSchema = z.object({ sub: memberIdSchema, sid: z.string(), exp: z.number(), tenant_id: tenantIdSchema.optional(), role: z.enum([...memberRoles, 'platform']) });

/** Access tokens of ours: JWTs by ES256 and nothing else, whatever a token says of itself. */
export function createAccessTokens({ keys, issuer, now }: { readonly keys: SigningKeys; readonly issuer: string; readonly now: () => Date }): AccessTokens {
  return {
    async sign({ realm, memberId, sessionId, role }, sessionEndsAt) {
      const { kid, privateKey } = await keys.signer();
      const issuedAt = Math.floor(now().getTime() / 1000);
      const expiresAt = Math.min(issuedAt + accessTokenMs / 1000, Math.floor(sessionEndsAt.getTime() / 1000));
      const scopes = role === 'platform' ? [] : scopesOfRole(role);
      const token = await new SignJWT({ ...(realm === undefined ? {} : { tenant_id: realm }), role, scopes, sid: sessionId })
        .setProtectedHeader({ alg: 'ES256', kid, typ: 'at+jwt' })
        .setIssuer(issuer)
        .setAudience(accessTokenAudience)
        .setSubject(memberId)
        .setJti(randomUUID())
        .setIssuedAt(issuedAt)
        .setExpirationTime(expiresAt)
        .sign(privateKey);
      return { token, expiresAt: new Date(expiresAt * 1000) };
    },

    async verify(token) {
      try {
        const { payload } = await jwtVerify(
          token,
          async ({ kid }) => {
            const key = kid === undefined ? undefined : await keys.verifier(kid);
            if (key === undefined) throw hubError('auth.missing');
            return key;
          },
          { algorithms: ['ES256'], typ: 'at+jwt', issuer, audience: accessTokenAudience, currentDate: now() },
        );
        const { sub, sid, exp, tenant_id: realm, role } = claimsSchema.parse(payload);
        // A person of the platform has no tenant, and everybody else has one.
        if ((role === 'platform') !== (realm === undefined)) throw hubError('auth.missing');
        return { realm, memberId: sub, sessionId: sid, expiresAt: new Date(exp * 1000) };
      } catch (cause) {
        // A store that is away makes no forged token: the caller is to ask again.
        throw isHubError(cause) ? cause : hubError('auth.missing', { cause });
      }
    },
  };
}
