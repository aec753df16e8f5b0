import { hubError, type Envelope } from '@switchboard/contracts';

/**
 * Largest envelope in its encoded form. The largest there are carry a webhook's body as text, and ingest takes 4 MiB: each byte of it becomes at
 * most three (a byte that is no UTF-8 becomes a three-byte sign; a line break or quotation mark two), and the rest of the envelope is small.
 */
export const envelopeBytesMax = 14 * 1024 * 1024;

/** A string's length in UTF-16 units times this is never less than its bytes: what is far below the limit is not measured. */
const bytesPerUnitMax = 3;

/**
 * The JSON array that `publish` takes. Throws `request.too_large` for an envelope that no driver could carry: its publisher learns it, instead of
 * those who would carry it.
 */
export function encodeEnvelopes(envelopes: readonly Envelope[]): string {
  return `[${envelopes.map(encode).join(',')}]`;
}

function encode(envelope: Envelope): string {
  const text = JSON.stringify(envelope);
  if (text.length * bytesPerUnitMax > envelopeBytesMax) {
    const bytes = Buffer.byteLength(text);
    if (bytes > envelopeBytesMax) throw hubError('request.too_large', { publicMessage: 'The event is too large to be carried.', detail: { type: envelope.type, eventId: envelope.eventId, bytes, bytesMax: envelopeBytesMax } });
  }
  return text;
}
