import { describe, expect, it } from '@jest/globals';
import { tenantIdSchema } from '@switchboard/contracts';
import fc from 'fast-check';
import jwt from 'jsonwebtoken';
import { internalTokenVerifier, signInternalToken } from './internal-token.ts';

const secret = 'a secret of at least thirty-two characters';
const acme = tenantIdSchema.parse('acme');
const verify = internalTokenVerifier(secret, 'state-manager');
const refused = expect.objectContaining({ code: 'auth.missing' });

describe('an internal token', () => {
  it('says who calls, for which tenant, with which scopes', () => {
    const token = signInternalToken(secret, 'api-gateway', 'state-manager', { tenantId: acme, subject: 'key_1', scopes: ['state:read'] });
    expect(verify(token)).toEqual({ issuer: 'api-gateway', tenantId: 'acme', subject: 'key_1', scopes: ['state:read'], via: 'key', role: undefined });
    // Remembered the second time, and the same.
    expect(verify(token)).toEqual({ issuer: 'api-gateway', tenantId: 'acme', subject: 'key_1', scopes: ['state:read'], via: 'key', role: undefined });
  });

  it('says what a person proved themselves with, and in which role', () => {
    const token = signInternalToken(secret, 'api-gateway', 'state-manager', { tenantId: acme, subject: 'mbr_1', via: 'member', role: 'agent' });
    expect(verify(token)).toMatchObject({ subject: 'mbr_1', via: 'member', role: 'agent' });
  });

  it('opens nothing after its 60 seconds, though it was verified before', () => {
    let now = Date.now();
    const verifyAt = internalTokenVerifier(secret, 'state-manager', () => now);
    const token = signInternalToken(secret, 'api-gateway', 'state-manager', { tenantId: acme });
    expect(verifyAt(token)).toMatchObject({ tenantId: 'acme' });
    now += 58_000;
    expect(verifyAt(token)).toMatchObject({ tenantId: 'acme' });
    now += 2_000;
    expect(() => verifyAt(token)).toThrow(refused);
  });

  it('is refused by every service but the one it was made for', () => {
    expect(() => verify(signInternalToken(secret, 'api-gateway', 'tenant-service', { tenantId: acme }))).toThrow(refused);
  });

  it('is refused with any bit changed', () => {
    const token = signInternalToken(secret, 'api-gateway', 'state-manager', { tenantId: acme });
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.integer({ min: 1, max: 127 }), (at, flip) => {
        const changed = token.slice(0, at) + String.fromCharCode(token.charCodeAt(at) ^ flip) + token.slice(at + 1);
        // The last character of base64url holds bits that no byte needs: another letter there can be the same signature.
        if (at === token.length - 1) return true;
        expect(() => verify(changed)).toThrow(refused);
        return true;
      }),
    );
  });

  it.each([
    ['another algorithm', () => jwt.sign({ tenant: 'acme' }, secret, { algorithm: 'HS512', audience: 'state-manager', issuer: 'api-gateway', expiresIn: 60 })],
    ['no algorithm', () => jwt.sign({ tenant: 'acme' }, '', { algorithm: 'none', audience: 'state-manager', issuer: 'api-gateway', expiresIn: 60 })],
    ['another secret', () => signInternalToken(`${secret}!`, 'api-gateway', 'state-manager', { tenantId: acme })],
    ['an end in the past', () => jwt.sign({ tenant: 'acme' }, secret, { algorithm: 'HS256', audience: 'state-manager', issuer: 'api-gateway', expiresIn: -1 })],
    ['no end', () => jwt.sign({ tenant: 'acme' }, secret, { algorithm: 'HS256', audience: 'state-manager', issuer: 'api-gateway' })],
    ['no issuer', () => jwt.sign({ tenant: 'acme' }, secret, { algorithm: 'HS256', audience: 'state-manager', expiresIn: 60 })],
    ['a tenant that is none', () => jwt.sign({ tenant: "a'b" }, secret, { algorithm: 'HS256', audience: 'state-manager', issuer: 'api-gateway', expiresIn: 60 })],
    ['nothing in it', () => ''],
  ])('is refused with %s', (_, make) => {
    expect(() => verify(make())).toThrow(refused);
  });
});
