/** What an SMS with a text is, as networks carry and Twilio bills it. */
export type Segments = {
  readonly encoding: 'GSM-7' | 'UCS-2';
  /** Septets of GSM-7 (two for a character of the extension table), or 16-bit units of UCS-2. */
  readonly units: number;
  readonly segments: number;
};

/** GSM 03.38, the basic character set, without the escape. */
const basic = new Set('@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà');
/** The extension table: an escape and a character. */
const extension = new Set('\f^{}\\[~]|€');

/** One message, and each segment of a longer one, whose header says how it is joined. */
const limits = { 'GSM-7': { alone: 160, joined: 153 }, 'UCS-2': { alone: 70, joined: 67 } } as const;

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Encoding, units and segments of a text as an SMS, without Twilio's smart encoding. One character outside GSM-7 makes the whole text UCS-2. Pure. */
export function segmentsOf(text: string): Segments {
  const isGsm = [...text].every((character) => basic.has(character) || extension.has(character));
  const encoding = isGsm ? 'GSM-7' : 'UCS-2';
  // What is not taken apart at the end of a segment: an escaped character, or what a reader sees as one.
  const sizes = isGsm ? [...text].map((character) => (extension.has(character) ? 2 : 1)) : Array.from(graphemes.segment(text), ({ segment }) => segment.length);
  const units = sizes.reduce((sum, size) => sum + size, 0);
  return { encoding, units, segments: units <= limits[encoding].alone ? 1 : filled(sizes, limits[encoding].joined) };
}

function filled(sizes: readonly number[], unitsMax: number): number {
  let segments = 1;
  let used = 0;
  for (const size of sizes) {
    if (used + size > unitsMax && used > 0) {
      segments += 1;
      used = 0;
    }
    used += size;
    // A "character" longer than a segment (stacked accents) is taken apart all the same.
    while (used > unitsMax) {
      segments += 1;
      used -= unitsMax;
    }
  }
  return segments;
}
