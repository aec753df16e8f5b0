/** A number as Twilio writes one: `-0.00750`. Thirty digits before the point, and after it, are more than any money has. */
const decimal = /^(-?)(\d{1,30})(?:\.(\d{1,30}))?$/;

/** The sum of decimal texts, exact to their last digit, with as many digits behind the point as the longest has; what is no number counts as nothing. Pure. */
export function addDecimals(texts: readonly string[]): string {
  const numbers = texts.flatMap((text) => {
    const [whole, sign, digits, fraction = ''] = decimal.exec(text.trim()) ?? [];
    return whole === undefined ? [] : [{ sign, digits, fraction }];
  });
  const places = Math.max(0, ...numbers.map(({ fraction }) => fraction.length));
  const sum = numbers.reduce((total, { sign, digits, fraction }) => {
    const value = BigInt(`${digits}${fraction.padEnd(places, '0')}`);
    return sign === '-' ? total - value : total + value;
  }, 0n);
  const text = (sum < 0n ? -sum : sum).toString().padStart(places + 1, '0');
  const cut = text.length - places;
  return `${sum < 0n ? '-' : ''}${text.slice(0, cut)}${places === 0 ? '' : `.${text.slice(cut)}`}`;
}
