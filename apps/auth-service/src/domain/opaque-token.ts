import { tenantIdSchema } from '@switchboard/contracts';
import { createHash } from 'node:crypto';
import type { Realm } from './realm.ts';

/**
 * The form of tokens that are looked up instead of read: kind, realm, id, secret. The realm stands in it because it says in whose rows to look;
 * naming another one finds nothing. Callers take them as they are.
 */
export type OpaqueToken = { readonly realm: Realm; readonly id: string; readonly secret: string };

/** Refresh tokens, tokens that are used once, and the state of a log-in at an identity provider. */
export type TokenKind = 'swr' | 'swo' | 'sws';

/** Random bytes of a secret, as base64url. */
export type RandomText = (bytes: number) => string;

/** Bytes: nobody guesses 256 bits. */
export const secretBytes = 32;

export function formToken(kind: TokenKind, { realm, id, secret }: OpaqueToken): string {
  return [kind, realm ?? '', id, secret].join('.');
}

/** What a token says, or undefined for one of another kind or form. Says nothing of whether there is such a thing. */
export function parseToken(kind: TokenKind, text: string): OpaqueToken | undefined {
  const [prefix, realm, id, secret, ...more] = text.split('.');
  if (prefix !== kind || realm === undefined || id === undefined || secret === undefined || more.length > 0) return undefined;
  if (!/^[a-z]{3}_[0-9a-z]{10,40}$/.test(id) || !/^[\w-]{1,128}$/.test(secret)) return undefined;
  if (realm === '') return { realm: undefined, id, secret };
  const tenant = tenantIdSchema.safeParse(realm);
  return tenant.success ? { realm: tenant.data, id, secret } : undefined;
}

/** SHA-256 as 64 hex digits. Of random secrets only, which need no slow hash. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
