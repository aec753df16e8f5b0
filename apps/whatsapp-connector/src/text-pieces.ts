import { splitText, type PartMedia } from '@switchboard/connector-kit';
import { limits } from './limits.ts';

/** What a part says, without the envelope that all have. */
export type Piece = { readonly type: string; readonly body: Readonly<Record<string, unknown>> | readonly unknown[]; readonly media?: PartMedia };

/** A text in as many messages as it needs; none for white space alone, which Meta refuses. Pure. */
export function textPieces(text: string): Piece[] {
  return splitText(text, limits.textLengthMax)
    .filter((body) => body.trim() !== '')
    .map((body) => ({ type: 'text', body: { body, preview_url: /https?:\/\//i.test(body) } }));
}
