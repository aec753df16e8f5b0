import type { Form } from './wire.ts';

/** Below it the chance that words look like base64 of words is worth a thought; only concatenated messages come so, and they are longer. */
const encodedLengthMin = 60;

/**
 * The text of a message. Twilio sometimes posts concatenated SMS in base64 (seen by github.com/nyaruka/courier): decoded only where nothing else
 * can be meant, else left as it came. Pure.
 */
export function decodeBody({ Body: body = '', NumSegments: segments, From: from = '' }: Form): string {
  if (!(Number(segments) > 1) || from.includes(':')) return body;
  const encoded = body.replaceAll(/[\r\n]/g, '');
  if (encoded.length < encodedLengthMin || encoded.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return body;
  const bytes = Buffer.from(encoded, 'base64');
  const text = bytes.toString('utf8');
  const isWhole = bytes.toString('base64') === encoded && Buffer.from(text, 'utf8').equals(bytes);
  // A person's words have blanks and no control characters; a key or a hash that somebody sent decodes to neither.
  return isWhole && /\s/.test(text) && !/[\p{Cc}--[\r\n\t]]/v.test(text) ? text : body;
}
