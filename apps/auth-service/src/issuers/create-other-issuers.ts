import { hubError, isHubError, memberRoles, scopesOfRole, tenantIdSchema, type MemberRole, type TenantId, type TokenHolder } from '@switchboard/contracts';
import { decodeJwt, errors, jwtVerify, type JWTPayload } from 'jose';
import { z } from 'zod';
import { lesserRole } from '../domain/role-order.ts';
import { runInRealm, type Realm } from '../domain/realm.ts';
import type { Tenants } from '../people/create-tenants.ts';
import type { RealmBox } from '../sealing/create-realm-box.ts';
import type { OtherIssuers } from '../sessions/create-token-verifier.ts';
import type { IssuerStore, SealedIssuer } from '../store/issuers.ts';
import { secretPlace } from './create-issuers.ts';
import type { JwksCache } from './create-jwks-cache.ts';

/** Milliseconds a token of another issuer may be good for: it cannot be revoked but by distrusting the issuer. */
export const lifetimeMaxMs = 24 * 60 * 60_000;
/** Seconds that the clocks of issuers may be ahead of ours. */
const clockToleranceSeconds = 30;

/** No control characters in what is looked up or told: Postgres takes no zero byte. */
const wordSchema = z.string().min(1).max(500).regex(/^\P{Cc}+$/u);
const claimsSchema = z.object({ iss: wordSchema, sub: wordSchema, exp: z.number(), tenant_id: tenantIdSchema, role: z.unknown().optional() });

type Deps = { readonly store: IssuerStore; readonly box: RealmBox; readonly jwks: JwksCache; readonly tenants: Tenants; readonly now: () => Date };

/**
 * Tokens of issuers that a tenant or the platform trusts. What a token says of issuer and tenant chooses the record; algorithm, keys and audience
 * are the record's. A tenant's own record stands in its own rows: it can speak for nobody else.
 */
export function createOtherIssuers({ store, box, jwks, tenants, now }: Deps): OtherIssuers {
  const findIn = (realm: Realm, issuer: string, token: string) =>
    runInRealm(realm, async () => {
      const record = await store.findByName(issuer);
      if (record === undefined) return undefined;
      if (!record.isEnabled) throw hubError('auth.missing');
      return { record, payload: await verifyWith(record, token) };
    });

  const verifyWith = async (record: SealedIssuer, token: string): Promise<JWTPayload> => {
    const options = { algorithms: [record.algorithm], issuer: record.issuer, audience: record.audience, requiredClaims: ['exp', 'sub', 'tenant_id'], currentDate: now(), clockTolerance: clockToleranceSeconds };
    if (record.kind === 'hs256') {
      if (record.sealed === null) throw hubError('auth.missing');
      return (await jwtVerify(token, Buffer.from(await box.open(record, secretPlace(record.issuerId)), 'utf8'), options)).payload;
    }
    const url = record.jwksUrl ?? '';
    const attempt = async (askAgain: boolean) => (await jwtVerify(token, await jwks.find(url, { askAgain }), options)).payload;
    try {
      return await attempt(false);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      return await attempt(true);
    }
  };

  const verify = async (issuer: string, token: string): Promise<TokenHolder> => {
    const { tenant_id: tenantId } = claimsSchema.parse(decodeJwt(token));
    const own = await findIn(tenantId, issuer, token);
    const found = own ?? (await findIn(undefined, issuer, token));
    if (found === undefined) throw hubError('auth.missing');
    // The platform's issuers may name tenants that there are not.
    if (own === undefined) await tenants.planOf(tenantId);
    return holderOf(found.record, claimsSchema.parse(found.payload), tenantId, now());
  };

  return {
    async verify(issuer, token) {
      try {
        return await verify(issuer, token);
      } catch (cause) {
        // What cannot be judged now is no forged token: the caller is to ask again.
        const isAway = isHubError(cause) && cause.code !== 'tenant.not_found';
        throw isAway ? cause : hubError('auth.missing', { cause });
      }
    },
  };
}

function holderOf({ issuerId, maxRole }: SealedIssuer, claims: z.output<typeof claimsSchema>, tenantId: TenantId, now: Date): TokenHolder {
  const endsMs = claims.exp * 1000;
  // Its tokens are read once more here: what chose the tenant is what was signed.
  if (claims.tenant_id !== tenantId || endsMs <= now.getTime() || endsMs > now.getTime() + lifetimeMaxMs) throw hubError('auth.missing');
  const role = roleOf(claims.role, maxRole);
  return { kind: 'member', tenantId, subject: `${issuerId}:${claims.sub}`, role, scopes: [...scopesOfRole(role)], expiresAt: new Date(endsMs).toISOString() };
}

/** What the token says, up to what its issuer may say; an agent when it says nothing that we know. */
function roleOf(claimed: unknown, maxRole: MemberRole): MemberRole {
  return lesserRole(memberRoles.find((role) => role === claimed) ?? 'agent', maxRole);
}
