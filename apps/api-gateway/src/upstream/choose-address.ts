/** One process of a service, as this gateway has seen it. */
export type AddressState = {
  /** Requests under way. */
  inFlight: number;
  /** Failed connections since the last one that held. */
  failures: number;
  /** Not chosen before, while there is another. */
  ejectedUntilMs: number;
};

/** Milliseconds an address is left alone after its first failed connection; twice as long after each further one. */
export const ejectedForMs = 1_000;
export const ejectedForMaxMs = 30_000;

/**
 * The address with the fewest requests under way; of equals the next in turn. All ejected: the one whose time is over first, because asking
 * costs less than refusing everything. `except` was tried just now. Undefined when there is none to choose.
 */
export function chooseAddress<Address extends AddressState>(addresses: readonly Address[], { nowMs, turn, except }: { readonly nowMs: number; readonly turn: number; readonly except?: Address | undefined }): Address | undefined {
  let best: Address | undefined;
  for (let step = 0; step < addresses.length; step++) {
    const address = addresses[(turn + step) % addresses.length];
    if (address === undefined || address === except) continue;
    if (best === undefined || isBetter(address, best, nowMs)) best = address;
  }
  return best;
}

function isBetter(address: AddressState, best: AddressState, nowMs: number): boolean {
  const isEjected = address.ejectedUntilMs > nowMs;
  const bestIsEjected = best.ejectedUntilMs > nowMs;
  if (isEjected && bestIsEjected) return address.ejectedUntilMs < best.ejectedUntilMs;
  if (isEjected !== bestIsEjected) return bestIsEjected;
  return address.inFlight < best.inFlight;
}

export function noteConnected(address: AddressState): void {
  address.failures = 0;
  address.ejectedUntilMs = 0;
}

export function noteUnreachable(address: AddressState, nowMs: number): void {
  address.ejectedUntilMs = nowMs + Math.min(ejectedForMaxMs, ejectedForMs * 2 ** Math.min(address.failures, 10));
  address.failures++;
}
