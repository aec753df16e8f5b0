import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { toStorable } from './to-storable.ts';

describe('toStorable', () => {
  it('leaves no NUL and no half of a surrogate pair anywhere', () => {
    const anyString = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) });
    fc.assert(
      fc.property(fc.dictionary(anyString, fc.oneof(anyString, fc.array(anyString))), (value) => {
        const json = JSON.stringify(toStorable(value));
        return !json.includes('\\u0000') && !/\\ud[89a-f]/.test(json);
      }),
    );
  });

  it('leaves everything else as it was', () => {
    const value = { text: 'Zoë 👋', count: 3, none: null, list: [true, { deep: 'x' }] };
    expect(toStorable(value)).toEqual(value);
  });
});
