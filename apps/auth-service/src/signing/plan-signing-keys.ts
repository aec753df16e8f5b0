import { accessTokenMs } from '../domain/lifetimes.ts';

const minuteMs = 60_000;

/** Milliseconds a new key stands in the JWKS before it signs: longer than anybody caches the list (five minutes), and than our own processes do. */
export const publishLeadMs = 15 * minuteMs;
/** Milliseconds a key signs. */
export const signingMs = 30 * 24 * 60 * minuteMs;
/** Seconds that others may keep the JWKS. */
export const jwksMaxAgeSeconds = 300;
/** Milliseconds a key is kept beyond the end of its last token: clocks differ. */
const leewayMs = minuteMs;

export type SigningTimes = { readonly kid: string; readonly signsFrom: Date };

export type SigningPlan = {
  /** Signs now; undefined as long as there is none. */
  readonly signing: string | undefined;
  /** Published, and signs later. */
  readonly next: string | undefined;
  /** Verify: all but the outdated. */
  readonly verifying: readonly string[];
  /** Every token of theirs has ended. */
  readonly outdated: readonly string[];
  /** A next one is wanted. */
  readonly isDue: boolean;
};

/** What each key does at this time. The newest that has begun signs; the one before verifies until its last token has ended. */
export function planSigningKeys(keys: readonly SigningTimes[], now: Date): SigningPlan {
  const ordered = keys.toSorted((a, b) => a.signsFrom.getTime() - b.signsFrom.getTime() || (a.kid < b.kid ? -1 : 1));
  const begun = ordered.filter(({ signsFrom }) => signsFrom <= now);
  // The first key of all begins by the clock of the process that made it; one whose clock is behind uses it as well.
  const signing = begun.at(-1) ?? ordered[0];
  const next = ordered.find((key) => key.signsFrom > now && key !== signing);
  const outdated = begun.filter((_, index) => {
    const successor = begun[index + 1];
    return successor !== undefined && successor.signsFrom.getTime() + accessTokenMs + leewayMs <= now.getTime();
  });
  return {
    signing: signing?.kid,
    next: next?.kid,
    verifying: ordered.filter((key) => !outdated.includes(key)).map(({ kid }) => kid),
    outdated: outdated.map(({ kid }) => kid),
    isDue: signing === undefined || (next === undefined && signing.signsFrom.getTime() + signingMs - publishLeadMs <= now.getTime()),
  };
}
