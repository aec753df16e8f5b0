import { hubError, type Scope } from '@switchboard/contracts';
import type { Principal } from '@switchboard/service-kit';
import { isNetworkWithin } from './is-network-within.ts';

/** What bounds a key besides its scopes. */
export type KeyBounds = { readonly expiresAt: Date | null; readonly cidrs: readonly string[]; readonly rateLimit: number | null };

/** Nobody hands on what they do not have: a tenant's key or member grants its own scopes at most. Throws `auth.scope_missing`. */
export function assertGrantable(principal: Principal, wanted: readonly string[]): void {
  if (principal.kind === 'admin') return;
  const own: readonly Scope[] = principal.kind === 'tenant' ? principal.scopes : [];
  const missing = wanted.find((scope) => !own.some((each) => each === scope));
  if (missing !== undefined) throw hubError('auth.scope_missing', { publicMessage: `A key can be given no scope that its maker does not have: ${missing}.` });
}

/** What a key that `own` makes is bounded by: by what `own` is bounded by where nothing is wished. */
export function inheritBounds<Wish extends KeyBounds>(wish: Wish, own: KeyBounds): Wish {
  return { ...wish, expiresAt: wish.expiresAt ?? own.expiresAt, cidrs: wish.cidrs.length === 0 ? own.cidrs : wish.cidrs, rateLimit: wish.rateLimit ?? own.rateLimit };
}

/** A key with bounds makes none that outlives it, works from elsewhere or may ask more often. Throws `auth.scope_missing`, which names the field. */
export function assertWithinBounds(wish: KeyBounds, own: KeyBounds): void {
  if (own.expiresAt !== null && (wish.expiresAt === null || wish.expiresAt > own.expiresAt)) refuse('expiresAt', `its maker's own expiry, ${own.expiresAt.toISOString()}`);
  const isInside = (cidr: string) => own.cidrs.some((network) => isNetworkWithin(cidr, network));
  if (own.cidrs.length > 0 && (wish.cidrs.length === 0 || !wish.cidrs.every(isInside))) refuse('cidrs', `its maker's own networks, ${own.cidrs.join(', ')}`);
  if (own.rateLimit !== null && (wish.rateLimit === null || wish.rateLimit > own.rateLimit)) refuse('rateLimit', `its maker's own limit, ${own.rateLimit} a minute`);
}

function refuse(field: keyof KeyBounds, bound: string): never {
  throw hubError('auth.scope_missing', { publicMessage: `A key's ${field} cannot go beyond ${bound}.` });
}
