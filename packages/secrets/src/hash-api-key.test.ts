import { describe, expect, it } from '@jest/globals';
import { fingerprint } from './fingerprint.ts';
import { hashApiKey } from './hash-api-key.ts';
import { isSameSecret } from './is-same-secret.ts';

describe('hashApiKey', () => {
  it('is HMAC-SHA-256 (RFC 4231, test case 2)', () => {
    expect(hashApiKey('Jefe', 'what do ya want for nothing?')).toBe('5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843');
  });

  it('depends on the pepper', () => expect(hashApiKey('a', 'sk_1')).not.toBe(hashApiKey('b', 'sk_1')));
});

describe('fingerprint', () => {
  it('is the head of SHA-256 (FIPS 180-2, "abc")', () => expect(fingerprint('abc')).toBe('ba7816bf8f01cfea'));
});

describe('isSameSecret', () => {
  it('says yes to the same text only, whatever the lengths', () => {
    expect(isSameSecret('verify-me', 'verify-me')).toBe(true);
    expect(isSameSecret('verify-m', 'verify-me')).toBe(false);
    expect(isSameSecret('', 'verify-me')).toBe(false);
  });
});
