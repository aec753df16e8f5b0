import { Secret, TOTP } from 'otpauth';

/** Seconds of a step: what every authenticator takes for granted. */
const period = 30;
/** Steps before and after the present one that are taken: clocks differ, and people type slowly (RFC 6238 §5.2). */
const window = 1;
/** RFC 4226 §4 recommends 160 bits. */
export const factorSecretBytes = 20;

/** The authenticator of a secret in base 32: SHA-1 and six digits, as the apps that people have know them. */
export function authenticatorOf(secret: string, label = 'Switchboard'): TOTP {
  return new TOTP({ issuer: 'Switchboard', label, algorithm: 'SHA1', digits: 6, period, secret: Secret.fromBase32(secret) });
}

export function toBase32(bytes: Uint8Array): string {
  return new Secret({ buffer: Uint8Array.from(bytes).buffer }).base32;
}

/** The step that a code is of, when it is of one that is near enough and comes after `lastStep`: a code is good once. */
export function stepOfCode(secret: string, code: string, lastStep: number, now: Date): number | undefined {
  // The library compares bytes of one length alone.
  if (!/^[0-9]{6}$/.test(code)) return undefined;
  const timestamp = now.getTime();
  const delta = authenticatorOf(secret).validate({ token: code, timestamp, window });
  if (delta === null) return undefined;
  const step = Math.floor(timestamp / 1000 / period) + delta;
  return step > lastStep ? step : undefined;
}
