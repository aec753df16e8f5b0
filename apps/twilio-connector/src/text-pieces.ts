import { splitText } from '@switchboard/connector-kit';
import { textLengthMax } from './limits.ts';
import type { Piece } from './piece.ts';

/** A text in as many messages as it needs; none for white space alone, which Twilio refuses. Pure. */
export function textPieces(text: string): Piece[] {
  return splitText(text, textLengthMax).flatMap((body) => (body.trim() === '' ? [] : [{ body }]));
}
