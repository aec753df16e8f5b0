import type { ServiceName } from '@switchboard/contracts';
import type { InternalClaims, Kit } from '@switchboard/service-kit';

/** Milliseconds a token is used again. It is valid for 60 s: what is left is for the way, and for clocks that differ. */
const reusedForMs = 40_000;

/** Of one holder; those for other services hang on it, because nearly all holders have one alone. */
type Kept = { readonly service: ServiceName; token: string; until: number; readonly other: Kept | undefined };

/**
 * One token for a caller, a service and some seconds. `holder` is the object that the caller is remembered as: when that is forgotten, its
 * tokens go with it. `claimsOf` must say the same for one holder each time. `clock` in milliseconds, of any beginning.
 */
export function createTokenCache(sign: Kit<unknown, unknown>['signToken'], clock = () => performance.now()): <Holder extends object>(holder: Holder, service: ServiceName, claimsOf: (holder: Holder) => InternalClaims) => string {
  const tokens = new WeakMap<object, Kept>();
  return (holder, service, claimsOf) => {
    const first = tokens.get(holder);
    let kept = first;
    while (kept !== undefined && kept.service !== service) kept = kept.other;
    const now = clock();
    if (kept !== undefined && kept.until > now) return kept.token;
    const token = sign(service, claimsOf(holder));
    const until = now + reusedForMs;
    if (kept === undefined) tokens.set(holder, { service, token, until, other: first });
    else Object.assign(kept, { token, until });
    return token;
  };
}
