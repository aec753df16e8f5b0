import { hubError, scopesOfRole, type TokenHolder } from '@switchboard/contracts';
import { decodeJwt } from 'jose';
import { runInRealm } from '../domain/realm.ts';
import type { AccessTokens } from '../signing/create-access-tokens.ts';
import type { Sessions } from './create-sessions.ts';

/** Issuers that the platform or a tenant trusts besides us. */
export interface OtherIssuers {
  /** Whom a token of this issuer speaks for. Throws `auth.missing` for one that nobody trusts, and for a token that is not its. */
  verify(issuer: string, token: string): Promise<TokenHolder>;
}

export type VerifyBearer = (token: string) => Promise<TokenHolder>;

type Deps = { readonly issuer: string; readonly accessTokens: AccessTokens; readonly sessions: Pick<Sessions, 'findHolder'>; readonly others: OtherIssuers };

/** Whom a bearer token speaks for now. Throws `auth.missing` on any doubt. What a token says of its issuer only chooses who judges it. */
export function createTokenVerifier({ issuer, accessTokens, sessions, others }: Deps): VerifyBearer {
  return async (token) => {
    const named = issuerOf(token);
    if (named !== issuer) return await others.verify(named, token);
    const { realm, memberId, sessionId, expiresAt } = await accessTokens.verify(token);
    const person = await runInRealm(realm, () => sessions.findHolder(sessionId, memberId));
    if (person === undefined) throw hubError('auth.missing');
    const holder = { subject: memberId, expiresAt: expiresAt.toISOString() };
    if (person.role === 'platform') return { kind: 'platform', ...holder };
    if (realm === undefined) throw hubError('auth.missing');
    return { kind: 'member', tenantId: realm, role: person.role, scopes: [...scopesOfRole(person.role)], ...holder };
  };
}

function issuerOf(token: string): string {
  try {
    const { iss } = decodeJwt(token);
    if (typeof iss === 'string') return iss;
  } catch (cause) {
    throw hubError('auth.missing', { cause });
  }
  throw hubError('auth.missing');
}
