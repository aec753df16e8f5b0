const segmenter = new Intl.Segmenter(undefined, { granularity: 'word' });
/** Scripts that put no blanks between words. */
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Khmer}\p{Script=Lao}\p{Script=Myanmar}]/u;

/** The first of the keywords that stands in a text as a word, or as words one after the other; never inside another word. Case and accents make no difference. */
export function findKeyword(text: string, keywords: readonly string[]): string | undefined {
  const words = foldedWords(text);
  return keywords.find((keyword) => {
    const wanted = foldedWords(keyword);
    return wanted.length > 0 && words.some((_word, start) => wanted.every((word, offset) => words[start + offset] === word));
  });
}

/** "¡Señor Müller!" → senor, muller */
export function foldedWords(text: string): string[] {
  const folded = text.normalize('NFKD').replaceAll(/\p{M}+/gu, '').toLowerCase().replaceAll('ß', 'ss').replaceAll('ı', 'i');
  return (folded.match(/[\p{L}\p{N}]+/gu) ?? []).flatMap((word) => (unspaced.test(word) ? Array.from(segmenter.segment(word), ({ segment }) => segment) : [word]));
}
