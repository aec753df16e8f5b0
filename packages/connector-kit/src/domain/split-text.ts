/** Where a text may be cut, best first: between paragraphs, lines, sentences, words. */
const boundaries = [/\n\s*\n/g, /\n/g, /[.!?…]\s/g, /\s/g] as const;

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Code units looked at beyond the limit, so that the character which straddles it is seen whole. */
const graphemeLengthMax = 64;

/**
 * Cuts a text into pieces of at most `lengthMax` UTF-16 code units, for providers that take no more: at the last paragraph's end that
 * fits, else line's, sentence's, word's, else between two characters as a reader sees them (never inside an emoji). White space at the
 * cuts is dropped, nothing else. A text that fits is returned as it is.
 */
export function splitText(text: string, lengthMax: number): string[] {
  const pieces: string[] = [];
  let rest = text;
  while (rest.length > lengthMax) {
    const cut = cutOf(rest, lengthMax);
    const piece = rest.slice(0, cut).trimEnd();
    if (piece !== '') pieces.push(piece);
    rest = rest.slice(cut).trimStart();
  }
  if (rest !== '' || pieces.length === 0) pieces.push(rest);
  return pieces;
}

function cutOf(text: string, lengthMax: number): number {
  // One character more than fits: white space right behind the limit is a good place too.
  const head = text.slice(0, lengthMax + 1);
  for (const boundary of boundaries) {
    // A cut in the first half would make many small pieces; the next kind of boundary then does better.
    const cut = Math.max(...Array.from(head.matchAll(boundary), (match) => match.index + (boundary === boundaries[2] ? 1 : 0)).filter((index) => index <= lengthMax), 0);
    if (cut > lengthMax / 2) return cut;
  }
  let cut = 0;
  for (const { index, segment } of graphemes.segment(text.slice(0, lengthMax + graphemeLengthMax))) {
    if (index + segment.length > lengthMax) break;
    cut = index + segment.length;
  }
  // One "character" longer than the limit (stacked accents): cut it, but not a surrogate pair.
  if (cut > 0) return cut;
  const code = text.charCodeAt(lengthMax - 1);
  return code >= 0xd800 && code <= 0xdbff ? Math.max(lengthMax - 1, 1) : lengthMax;
}
