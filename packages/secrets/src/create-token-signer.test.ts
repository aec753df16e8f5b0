import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { createTokenSigner } from './create-token-signer.ts';

const start = new Date('2026-11-21T12:00:00Z');
const later = new Date('2026-11-21T13:00:00Z');
const signerAt = (now: Date, purpose = 'media', secret = 'link-secret') => createTokenSigner({ secret, purpose, now: () => now });

describe('signed links', () => {
  it('give their claims back until they expire', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.string({ maxLength: 40 }).map((text) => text.toWellFormed())), (claims) => {
        const token = signerAt(start).sign(claims, later);
        expect({ ...signerAt(start).verify(token) }).toEqual({ ...claims });
        expect(signerAt(later).verify(token)).toBeUndefined();
      }),
    );
  });

  it('stand in a URL path as they are', () => {
    expect(signerAt(start).sign({ tenant: 'acme', key: 'ü/?' }, later)).toMatch(/^[\w-]+\.[\w-]+$/);
  });

  it('break with any changed character', () => {
    const token = signerAt(start).sign({ tenant: 'acme', key: 'f'.repeat(64) }, later);
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.constantFrom(...'Aaz09-_.='), (at, character) => {
        const changed = token.slice(0, at) + character + token.slice(at + 1);
        expect(signerAt(start).verify(changed) === undefined).toBe(changed !== token);
      }),
    );
  });

  it('say no to anything else without throwing', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 6_000 }), (token) => expect(signerAt(start).verify(token)).toBeUndefined()));
  });

  it('are of one purpose and one secret', () => {
    const token = signerAt(start).sign({ tenant: 'acme' }, later);
    expect(signerAt(start, 'other').verify(token)).toBeUndefined();
    expect(signerAt(start, 'media', 'other-secret').verify(token)).toBeUndefined();
  });
});
