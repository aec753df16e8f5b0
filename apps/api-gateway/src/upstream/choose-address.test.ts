import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { chooseAddress, ejectedForMaxMs, ejectedForMs, noteConnected, noteUnreachable, type AddressState } from './choose-address.ts';

const address = (inFlight = 0): AddressState => ({ inFlight, failures: 0, ejectedUntilMs: 0 });

describe('chooseAddress', () => {
  it('takes the one with the fewest requests under way, and of equals the next in turn', () => {
    const [a, b, c] = [address(2), address(1), address(1)];
    expect(chooseAddress([a, b, c], { nowMs: 0, turn: 0 })).toBe(b);
    expect(chooseAddress([a, b, c], { nowMs: 0, turn: 2 })).toBe(c);
  });

  it('leaves one alone that could not be reached, longer each time, until a connection holds', () => {
    const [a, b] = [address(), address(9)];
    noteUnreachable(a, 0);
    expect(chooseAddress([a, b], { nowMs: ejectedForMs - 1, turn: 0 })).toBe(b);
    expect(chooseAddress([a, b], { nowMs: ejectedForMs, turn: 0 })).toBe(a);
    for (let time = 0; time < 40; time++) noteUnreachable(a, 0);
    expect(a.ejectedUntilMs).toBe(ejectedForMaxMs);
    noteConnected(a);
    expect(chooseAddress([a, b], { nowMs: 1, turn: 1 })).toBe(a);
  });

  it('always finds one that was not tried just now, be they all ejected', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ inFlight: fc.nat(100), ejectedUntilMs: fc.nat(10_000) }), { minLength: 2, maxLength: 8 }), fc.nat(10_000), fc.nat(1_000), (states, nowMs, turn) => {
        const addresses = states.map((state) => ({ ...state, failures: 0 }));
        const [except] = addresses;
        const chosen = chooseAddress(addresses, { nowMs, turn, except });
        expect(chosen).toBeDefined();
        expect(chosen).not.toBe(except);
        const isEjected = (chosen?.ejectedUntilMs ?? 0) > nowMs;
        expect(isEjected).toBe(addresses.slice(1).every((other) => other.ejectedUntilMs > nowMs));
      }),
    );
  });
});
