import type { Caller } from './identity.ts';

/** Milliseconds a token is used again; it is valid for 60 s. Signing costs more than the rest of a request's way through the gateway. */
const reusedForMs = 5_000;

/** One token a caller and some seconds. A caller is an object of the look-up's cache: when that forgets it, its token goes with it. */
export function createTokenCache(sign: (caller: Caller) => string): (caller: Caller) => string {
  const tokens = new WeakMap<Caller, { readonly token: string; readonly until: number }>();
  return (caller) => {
    const kept = tokens.get(caller);
    const now = performance.now();
    if (kept !== undefined && kept.until > now) return kept.token;
    const token = sign(caller);
    tokens.set(caller, { token, until: now + reusedForMs });
    return token;
  };
}
