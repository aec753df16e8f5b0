import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { decodeBody } from './decode-body.ts';

const base64 = (text: string) => Buffer.from(text, 'utf8').toString('base64');
const words = 'Good morning, is my parcel on its way? I have been waiting since Monday.';

describe('the body of a message', () => {
  it('is decoded where a concatenated SMS comes in base64', () => {
    expect(decodeBody({ Body: base64(words), NumSegments: '2' })).toBe(words);
    expect(decodeBody({ Body: `${base64(words).slice(0, 60)}\r\n${base64(words).slice(60)}`, NumSegments: '2' })).toBe(words);
  });

  it.each([
    ['one segment, which is never encoded', { Body: base64(words), NumSegments: '1' }],
    ['WhatsApp, which has no segments', { Body: base64(words), NumSegments: '2', From: 'whatsapp:+15005550111' }],
    ['a key without a blank in it', { Body: base64('abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz'), NumSegments: '2' }],
    ['bytes that are no text', { Body: Buffer.from(Array.from({ length: 60 }, (_, index) => 128 + index)).toString('base64'), NumSegments: '2' }],
    ['words', { Body: words, NumSegments: '2' }],
  ])('stays as it came for %s', (_what, form) => {
    expect(decodeBody(form)).toBe(form.Body);
  });

  it('of a hash or of any bytes is left alone', () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 45, maxLength: 300 }), (bytes) => {
      const Body = Buffer.from(bytes).toString('base64');
      const decoded = Buffer.from(bytes).toString('utf8');
      // Random bytes that happen to be whole text with blanks would rightly be read as text.
      fc.pre(!Buffer.from(decoded, 'utf8').equals(Buffer.from(bytes)));
      expect(decodeBody({ Body, NumSegments: '3' })).toBe(Body);
    }));
  });
});
