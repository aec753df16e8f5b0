import { describe, expect, it } from '@jest/globals';
import type { KnowledgeEntry } from '@switchboard/contracts';
import fc from 'fast-check';
import { selectKnowledge } from './select-knowledge.ts';

const entry = (question: string, answer = 'x', tags: string[] = []): KnowledgeEntry => ({ question, answer, tags });
const base = [
  entry('What are your opening hours?', 'We are open from nine to six.'),
  entry('Wie teuer ist der Versand nach Österreich?', 'Fünf Euro, ab fünfzig Euro frei.', ['lieferung', 'porto']),
  entry('Can I return a parcel?', 'Within thirty days. Shipping is yours to pay.', ['refund']),
  entry('返品できますか', '三十日以内に返品できます'),
];
const chosen = (question: string, budget = 10_000) => selectKnowledge(base, question, budget).map((found) => base.indexOf(found));

describe('the knowledge that goes with a turn', () => {
  it.each([
    ['a word of its question', 'when do you OPEN', 0],
    ['a word without its accents', 'osterreich', 1],
    ['a word with other accents', 'VERSÀND', 1],
    ['a tag', 'Was kostet das Porto?', 1],
    ['another form of a word', 'parcels', 2],
    ['a word of its answer', 'thirty', 2],
    ['two signs of a script without blanks', 'この商品を返品したい', 3],
  ])('is found by %s', (_, question, first) => {
    expect(chosen(question)[0]).toBe(first);
  });

  it('has a tag before a question, and a question before an answer', () => {
    const entries = [entry('x', 'refund'), entry('refund'), entry('y', 'z', ['refund'])];
    expect(selectKnowledge(entries, 'refund', 10_000)).toEqual([entries[2], entries[1], entries[0]]);
  });

  it('leaves out what has no word of the question, and is the first entries where none has', () => {
    expect(chosen('refund')).toEqual([2]);
    expect(chosen('…')).toEqual([0, 1, 2, 3]);
    expect(chosen('xyzzy', 100)).toEqual([0]);
  });

  it('passes over an entry that is too long, for the next one', () => {
    const entries = [entry('price', 'a'.repeat(500)), entry('price', 'b')];
    expect(selectKnowledge(entries, 'price', 100)).toEqual([entries[1]]);
  });

  const texts = fc.oneof(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), fc.array(fc.constantFrom('shipping', 'Köln', '価格', '🙂', 'the', '"\\'), { minLength: 1, maxLength: 8 }).map((words) => words.join(' ')));
  const bases = fc.array(fc.record({ question: texts, answer: texts, tags: fc.array(texts, { maxLength: 3 }) }), { maxLength: 12 });

  it('never exceeds its budget, is of the given base alone, holds none twice, and is the same each time', () => {
    fc.assert(
      fc.property(bases, texts, fc.integer({ min: -10, max: 1_500 }), (entries, question, budget) => {
        const selected = selectKnowledge(entries, question, budget);
        // An empty list is none that is sent.
        const sent = selected.length === 0 ? '' : JSON.stringify(selected.map(({ question: q, answer }) => ({ question: q, answer })));
        expect(Buffer.byteLength(sent)).toBeLessThanOrEqual(Math.max(budget, 0));
        expect(selected.every((one) => entries.includes(one))).toBe(true);
        expect(new Set(selected).size).toBe(selected.length);
        expect(selectKnowledge(structuredClone(entries), question, budget)).toEqual(selected);
      }),
      { numRuns: 500 },
    );
  });

  it('is the whole base for a question of an entry where the budget has room: none of its own words hides it', () => {
    fc.assert(fc.property(bases, (entries) => entries.every((one) => !/\p{L}/u.test(one.question) || selectKnowledge(entries, one.question, 1_000_000).includes(one))));
  });
});
