import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { splitText } from './split-text.ts';

const withoutSpace = (text: string) => text.replaceAll(/\s/g, '');

describe('splitText', () => {
  it('leaves a text that fits as it is', () => expect(splitText('  two words ', 50)).toEqual(['  two words ']));

  it('cuts between paragraphs before it cuts between words', () => {
    expect(splitText('first paragraph\n\nsecond one that is longer', 30)).toEqual(['first paragraph', 'second one that is longer']);
  });

  it('cuts after a sentence', () => expect(splitText('One sentence here. Another one there', 24)).toEqual(['One sentence here.', 'Another one there']));

  it('never cuts an emoji of several code points in two', () => {
    const family = '👨‍👩‍👧‍👦';
    for (const piece of splitText(family.repeat(5), family.length + 3)) expect(piece).toBe(family);
  });

  it('loses nothing but white space at the cuts, and every piece fits', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), fc.integer({ min: 4, max: 60 }), (text, lengthMax) => {
        const pieces = splitText(text, lengthMax);
        expect(withoutSpace(pieces.join(''))).toBe(withoutSpace(text));
        for (const piece of pieces) expect(piece.length).toBeLessThanOrEqual(lengthMax);
      }),
    );
  });
});
