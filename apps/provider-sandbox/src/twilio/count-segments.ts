/** Characters of GSM 03.38 with one septet; those of its second table have two. */
const gsm = new Set('@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà');
const gsmLong = new Set('^{}\\[~]|€\f');

/** Parts that a text has as an SMS: 160 or 153 septets, or 70 or 67 code units where a character is not GSM's. */
export function countSegments(text: string): number {
  const characters = [...text];
  const isGsm = characters.every((character) => gsm.has(character) || gsmLong.has(character));
  const length = isGsm ? characters.reduce((sum, character) => sum + (gsmLong.has(character) ? 2 : 1), 0) : text.length;
  const [whole, part] = isGsm ? [160, 153] : [70, 67];
  return length <= whole ? 1 : Math.ceil(length / part);
}
