import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { phoneDigits, phoneKey } from './phone-key.ts';

describe('phoneKey', () => {
  it.each([
    ['+55 11 98765-4321', '551187654321'],
    ['+52 1 55 1234 5678', '525512345678'],
    ['+54 9 11 2345-6789', '541123456789'],
  ])('makes %s and %s one contact', (long, short) => expect(phoneKey(long)).toBe(phoneKey(short)));

  it('keeps a Brazilian landline apart from the mobile that only looks like it', () => {
    expect(phoneKey('551132345678')).not.toBe(phoneKey('5511932345678'));
  });

  it.each(['US.13491208655302741918', 'ada', '', '+', '12', '1234567890123456'])('says that %j is no phone number', (value) => expect(phoneKey(value)).toBeUndefined());

  it('does not care how a number is written', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[1-9]\d{6,14}$/), fc.constantFrom('', '+', ' +', '('), fc.constantFrom(' ', '-', '.', ')'), (digits, before, between) => {
        const written = `${before}${digits.slice(0, 3)}${between}${digits.slice(3)}`;
        expect(phoneDigits(written)).toBe(digits);
        expect(phoneKey(written)).toBe(phoneKey(digits));
      }),
    );
  });

  it('is its own key', () => {
    fc.assert(fc.property(fc.stringMatching(/^[1-9]\d{6,14}$/), (digits) => expect(phoneKey(phoneKey(digits) ?? '')).toBe(phoneKey(digits))));
  });
});
