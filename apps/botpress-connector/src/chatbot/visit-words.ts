/** Letters that a word and another form of it must have in common from the beginning: "shipping", "shipped". */
const stemLength = 5;

/**
 * Pure: calls `visit` for each word of a text, whatever case and accents it is written with, by its number (32 bits) and that of its beginning, where it is
 * long enough. Of scripts without blanks between words, each two signs that stand together are one. Numbers instead of texts, because a knowledge
 * base of a megabyte has a quarter of a million words.
 */
export function visitWords(text: string, visit: (word: number, stem: number | undefined) => void): void {
  const folded = isAscii.test(text) ? text.toLowerCase() : text.normalize('NFKD').toLowerCase();
  const signs: number[] = [];
  let isWithoutBlanks = false;

  const end = () => {
    if (signs.length > 0) visitRun(signs, isWithoutBlanks, visit);
    signs.length = 0;
    isWithoutBlanks = false;
  };
  for (let i = 0; i < folded.length; i++) {
    const code = folded.charCodeAt(i);
    const kind = kindOf(code);
    if (kind === kinds.nothing) end();
    else if (kind !== kinds.accent) {
      isWithoutBlanks ||= kind === kinds.withoutBlanks;
      if (code === sharpS) signs.push(latinS, latinS);
      else signs.push(code === dotlessI ? latinI : code);
    }
  }
  end();
}

function visitRun(signs: readonly number[], isWithoutBlanks: boolean, visit: (word: number, stem: number | undefined) => void): void {
  if (isWithoutBlanks && signs.length > 2) {
    for (let i = 1; i < signs.length; i++) visit(hashOf(signs, i - 1, i + 1), undefined);
    return;
  }
  // The hyphen makes a beginning another word than the word of the same letters: no word has one.
  visit(hashOf(signs, 0, signs.length), signs.length < stemLength ? undefined : hashed(hashOf(signs, 0, stemLength), hyphen));
}

const isAscii = /^[\0-\x7f]*$/;
const [sharpS, dotlessI, latinI, latinS, hyphen] = [0xdf, 0x131, 0x69, 0x73, 0x2d];

/** FNV-1a, 32 bits. Two words of one number would be taken for one another: an entry more to choose from, out of four thousand million. */
function hashOf(signs: readonly number[], from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let i = from; i < to; i++) hash = hashed(hash, signs[i] ?? 0);
  return hash;
}

function hashed(hash: number, sign: number): number {
  return Math.imul(hash ^ sign, 0x01000193) >>> 0;
}

const kinds = { unknown: 0, nothing: 1, letter: 2, accent: 3, withoutBlanks: 4 } as const;
/** Of each UTF-16 unit, as far as it was asked for. */
const known = new Uint8Array(65_536);

function kindOf(code: number): number {
  if (known[code] === kinds.unknown) known[code] = kindOfSign(String.fromCharCode(code));
  return known[code] ?? kinds.nothing;
}

/** Halves of rare letters count as letters: both halves stay together. */
function kindOfSign(sign: string): number {
  if (/\p{M}/u.test(sign)) return kinds.accent;
  if (/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u.test(sign)) return kinds.withoutBlanks;
  return /[\p{L}\p{N}\p{Cs}]/u.test(sign) ? kinds.letter : kinds.nothing;
}
