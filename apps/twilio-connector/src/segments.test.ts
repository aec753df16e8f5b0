import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { SegmentedMessage } from 'sms-segments-calculator';
import { segmentsOf } from './segments.ts';

/** As Twilio's own calculator has it. */
function byTwilio(text: string) {
  const { encodingName, segments } = new SegmentedMessage(text);
  return { encoding: encodingName, segments: Math.max(segments.length, 1) };
}

describe('segments of an SMS', () => {
  it('have the encoding that Twilio\'s calculator says, for every character that is one unit', () => {
    // Halves of pairs are no characters; marks that join to what stands before them are no text alone.
    const units = Array.from({ length: 0xffff }, (_, code) => String.fromCharCode(code)).filter((unit) => !/[\p{Cs}\p{M}]/u.test(unit));
    const differing = units.filter((unit) => segmentsOf(unit).encoding !== new SegmentedMessage(unit).encodingName);
    expect(differing).toEqual([]);
  });

  it('are as many as Twilio\'s calculator says', () => {
    const piece = fc.constantFrom('a', 'Z', ' ', '\n', 'é', 'Ω', '€', '{', '~', 'ж', '漢', 'ç', '👋', '👍🏽', '🇩🇪', 'ё');
    const plain = fc.constantFrom('a', ' ', '€', '[', 'ü', '\n', '|');
    const words = fc.oneof(fc.array(plain, { maxLength: 500 }), fc.array(piece, { maxLength: 250 })).map((pieces) => pieces.join(''));
    fc.assert(fc.property(words, (text) => {
      const { encoding, segments } = segmentsOf(text);
      expect({ encoding, segments }).toEqual(byTwilio(text));
    }), { numRuns: 300 });
  });

  it.each([
    ['', 'GSM-7', 0, 1],
    ['a'.repeat(160), 'GSM-7', 160, 1],
    ['a'.repeat(161), 'GSM-7', 161, 2],
    ['€'.repeat(80), 'GSM-7', 160, 1],
    // An escaped character is not taken apart: 152 units and one that does not fit.
    [`${'a'.repeat(152)}€${'a'.repeat(20)}`, 'GSM-7', 174, 2],
    ['ж'.repeat(70), 'UCS-2', 70, 1],
    ['ж'.repeat(71), 'UCS-2', 71, 2],
    ['👋'.repeat(35), 'UCS-2', 70, 1],
    // 67 units hold 33 pairs.
    ['👋'.repeat(67), 'UCS-2', 134, 3],
  ] as const)('of %j are counted', (text, encoding, units, segments) => {
    expect(segmentsOf(text)).toEqual({ encoding, units, segments });
  });
});
