import type { ServiceName } from '@switchboard/contracts';
import type { InternalClaims, Kit } from '@switchboard/service-kit';

/** Milliseconds a token is used again; it is valid for 60 s. Signing costs more than the rest of a request's way through the gateway. */
const reusedForMs = 5_000;

type Kept = { readonly token: string; readonly until: number };

/**
 * One token for a caller, a service and some seconds. `holder` is the object that the caller is remembered as: when that is forgotten, its
 * tokens go with it. `claimsOf` must say the same for one holder each time.
 */
export function createTokenCache(sign: Kit<unknown, unknown>['signToken']): <Holder extends object>(holder: Holder, service: ServiceName, claimsOf: (holder: Holder) => InternalClaims) => string {
  const tokens = new WeakMap<object, Map<ServiceName, Kept>>();
  return (holder, service, claimsOf) => {
    let ofHolder = tokens.get(holder);
    if (ofHolder === undefined) tokens.set(holder, (ofHolder = new Map()));
    const kept = ofHolder.get(service);
    const now = performance.now();
    if (kept !== undefined && kept.until > now) return kept.token;
    const token = sign(service, claimsOf(holder));
    ofHolder.set(service, { token, until: now + reusedForMs });
    return token;
  };
}
