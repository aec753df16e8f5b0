/**
 * One key for all ways to write the same phone number: digits with country code, less the extra digit that Brazil (9 after the area
 * code), Mexico (1 after 52) and Argentina (9 after 54) write or leave out. Undefined for what is no phone number. For comparing only:
 * what the provider wrote is kept. (whatsapp.md section 10)
 */
export function phoneKey(value: string): string | undefined {
  const digits = phoneDigits(value);
  if (digits === undefined) return undefined;
  // Only numbers that once had eight digits, beginning with 6 to 9, are known under both forms; 3xxx-xxxx with a 9 before it is
  // somebody else's mobile, not that landline.
  const brazil = /^(55\d{2})9([6-9]\d{7})$/.exec(digits);
  if (brazil) return `${brazil[1]}${brazil[2]}`;
  const mexico = /^521(\d{10})$/.exec(digits);
  if (mexico) return `52${mexico[1]}`;
  const argentina = /^549(\d{10})$/.exec(digits);
  if (argentina) return `54${argentina[1]}`;
  return digits;
}

/** The digits of a phone number written with or without "+", blanks, hyphens, dots and parentheses; undefined for anything else. */
export function phoneDigits(value: string): string | undefined {
  if (!/^\s*\+?[\d\s().-]+$/.test(value)) return undefined;
  const digits = value.replaceAll(/\D/g, '');
  // E.164 allows 15; shorter than 5 are short codes, which are no contact's number.
  return digits.length >= 5 && digits.length <= 15 ? digits : undefined;
}
