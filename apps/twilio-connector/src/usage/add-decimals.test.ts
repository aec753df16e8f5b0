import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { addDecimals } from './add-decimals.ts';

describe('the sum of prices', () => {
  it('is exact where floating point is not', () => {
    expect(addDecimals(['0.1', '0.2'])).toBe('0.3');
    expect(addDecimals(['0.00750', '-0.0075'])).toBe('0.00000');
    expect(addDecimals(['9007199254740993', '0.00000000000000000001'])).toBe('9007199254740993.00000000000000000001');
  });

  it('of nothing, and of what is no number, is 0', () => expect([addDecimals([]), addDecimals(['', 'free', '1e5', '.5'])]).toEqual(['0', '0']));

  it('is that of their whole numbers of the smallest unit, whatever their order', () => {
    const amount = fc.tuple(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.integer({ min: 0, max: 12 }));
    fc.assert(
      fc.property(fc.array(amount, { maxLength: 12 }), (amounts) => {
        const texts = amounts.map(([units, places]) => written(units, places));
        const total = amounts.reduce((sum, [units, places]) => sum + units * 10n ** BigInt(12 - places), 0n);
        return smallest(addDecimals(texts)) === total && addDecimals(texts.toReversed()) === addDecimals(texts);
      }),
    );
  });
});

function written(units: bigint, places: number): string {
  const text = (units < 0n ? -units : units).toString().padStart(places + 1, '0');
  return `${units < 0n ? '-' : ''}${text.slice(0, text.length - places)}${places === 0 ? '' : `.${text.slice(text.length - places)}`}`;
}

/** In units of 10⁻¹². */
function smallest(text: string): bigint {
  const [whole = '0', fraction = ''] = text.replace('-', '').split('.');
  return (text.startsWith('-') ? -1n : 1n) * BigInt(`${whole}${fraction.padEnd(12, '0')}`);
}
