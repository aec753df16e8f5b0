import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { apiKeyLength, generateApiKey, isPlausibleLegacyApiKey, parseApiKey } from './api-key.ts';
import { newId } from './ids.ts';

describe('API keys', () => {
  it('name their id, and are as long as stated', () => {
    const keyId = newId('key');
    const apiKey = generateApiKey(keyId);
    expect(apiKey).toMatch(/^sk_[0-9A-Za-z]+$/);
    expect(apiKey).toHaveLength(apiKeyLength);
    expect(parseApiKey(apiKey)).toEqual({ keyId });
  });

  it('are never the same twice', () => {
    const keyId = newId('key');
    expect(generateApiKey(keyId)).not.toBe(generateApiKey(keyId));
  });

  it('take every character with the same chance: bytes past the last whole 62 are thrown away', () => {
    let next = 255;
    const apiKey = generateApiKey(newId('key'), (length) => Uint8Array.from({ length }, () => next--));
    // 248 of the bytes 255…0 count; the first that counts is 247, the 62nd character.
    expect(apiKey.slice(29, 32)).toBe('zyx');
  });

  it('are refused when one character changed', () => {
    const apiKey = generateApiKey(newId('key'));
    fc.assert(
      fc.property(fc.nat(apiKeyLength - 1), fc.constantFrom(...'09AZaz_'), (at, character) => {
        fc.pre(apiKey[at] !== character);
        expect(parseApiKey(apiKey.slice(0, at) + character + apiKey.slice(at + 1))).toBeUndefined();
      }),
    );
  });

  it('are never found in other text, and reading it never throws', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => parseApiKey(text) === undefined));
  });
});

describe('keys of an installation that was migrated', () => {
  it.each(['0123456789abcdef', 'tenant_key-2021/with.signs+and=more', 'x'.repeat(256)])('may be %s', (text) => expect(isPlausibleLegacyApiKey(text)).toBe(true));

  it.each([
    ['too short to be no guess', '0123456789abcde'],
    ['too long', 'x'.repeat(257)],
    ['with a blank in it', '0123456789 abcdef'],
    ['with a line break at the end', '0123456789abcdef\n'],
    ['with a letter beyond ASCII', '0123456789abcdeé'],
  ])('are never %s', (_, text) => expect(isPlausibleLegacyApiKey(text)).toBe(false));

  it('are never one of our own', () => expect(isPlausibleLegacyApiKey(generateApiKey(newId('key')))).toBe(false));
});
