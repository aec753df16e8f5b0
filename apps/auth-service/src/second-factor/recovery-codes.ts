import type { MemberId } from '@switchboard/contracts';
import { hashSecret } from '../domain/opaque-token.ts';

/** Enough for a few lost devices, few enough to be written down. */
const codesCount = 10;
/** Of 32 letters: 80 bits, which nobody guesses, also who has the hashes. */
const codeLength = 16;
/** Crockford's: no letter looks like another. */
const letters = '0123456789abcdefghjkmnpqrstvwxyz';

/** Fresh codes, in groups of four. */
export function newRecoveryCodes(randomBytes: (count: number) => Uint8Array): string[] {
  return Array.from({ length: codesCount }, () => {
    const text = [...randomBytes(codeLength)].map((byte) => letters[byte & 31]).join('');
    return (text.match(/.{4}/g) ?? []).join('-');
  });
}

/** What is kept of one: however it is typed, and the same for nobody else. */
export function hashRecoveryCode(memberId: MemberId, code: string): string {
  return hashSecret(`${memberId} ${code.toLowerCase().replaceAll(/[^0-9a-z]/g, '')}`);
}
