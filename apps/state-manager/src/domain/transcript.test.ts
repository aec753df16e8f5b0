import type { Author } from '@switchboard/contracts';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { makeTranscript, shorten, summarize, transcriptBytesMax, transcriptMessagesMax, transcriptTextLengthMax, type Said } from './transcript.ts';

const at = (second: number) => new Date(Date.UTC(2026, 10, 21, 12, 0, second));
const said = (text: string, second = 0, author: Author = 'contact'): Said => ({ author, content: { kind: 'text', text }, sentAt: at(second) });

describe('a transcript', () => {
  it('says who said what, oldest first', () => {
    expect(makeTranscript([said('A person, please', 2), said('How can I help?', 1, 'bot'), said('Hello', 0)])).toEqual([
      { author: 'contact', text: 'Hello', at: at(0).toISOString() },
      { author: 'bot', text: 'How can I help?', at: at(1).toISOString() },
      { author: 'contact', text: 'A person, please', at: at(2).toISOString() },
    ]);
  });

  it('ends where its bytes do, with the last messages whole', () => {
    const text = 'ä'.repeat(transcriptTextLengthMax);
    const transcript = makeTranscript(Array.from({ length: transcriptMessagesMax }, () => said(text)));
    expect(transcript).toHaveLength(Math.floor(transcriptBytesMax / Buffer.byteLength(text)));
    expect(transcript.every((line) => line.text === text)).toBe(true);
  });

  it('holds the last messages within its limits, whatever they say', () => {
    const texts = fc.array(fc.oneof(fc.string({ minLength: 1 }), fc.string({ minLength: 900, maxLength: 3_000, unit: 'grapheme' })), { maxLength: 80 });
    fc.assert(
      fc.property(texts, (all) => {
        const transcript = makeTranscript(all.map((text, index) => said(text, -index)));
        expect(transcript.length).toBeLessThanOrEqual(transcriptMessagesMax);
        expect(transcript.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0)).toBeLessThanOrEqual(transcriptBytesMax);
        for (const { text } of transcript) expect(text.length).toBeLessThanOrEqual(transcriptTextLengthMax);
        expect(transcript.map(({ text }) => text)).toEqual(all.slice(0, transcript.length).toReversed().map((text) => shorten(text, transcriptTextLengthMax)));
      }),
      { numRuns: 50 },
    );
  });
});

describe('a text that is cut', () => {
  it('ends with an ellipsis and with no half of a character', () => {
    expect(shorten('abcdef', 4)).toBe('abc…');
    expect(shorten('ab😀d', 4)).toBe('ab…');
    expect(shorten('abcd', 4)).toBe('abcd');
  });
});

describe('a summary', () => {
  it('names the contact, the channel and how much was said', () => {
    expect(summarize({ contactName: 'Ada', channel: 'whatsapp', messageCount: 1 })).toBe('Ada on whatsapp, 1 message so far.');
  });
});
