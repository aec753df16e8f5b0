import { createHash } from 'node:crypto';
import { refreshRepeatMs } from './lifetimes.ts';
import { hashSecret, secretBytes, type RandomText } from './opaque-token.ts';

/** What a session keeps of its refresh tokens: hashes, and the salt that led from the token before to the present one. */
export type RefreshState = {
  readonly familyHash: string;
  readonly tokenHash: string;
  readonly previousHash: string | null;
  readonly successorSalt: string | null;
  readonly refreshedAt: Date;
};
export type SessionState = RefreshState & { readonly expiresAt: Date; readonly endedAt: Date | null };

/** The two parts of a refresh token's secret: one for the life of the session, one for each refresh. */
export type RefreshSecret = { readonly family: string; readonly current: string };

export type RefreshDecision =
  /** None of this session: nothing happens, or whoever knows a session's id could end it. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'ended' }
  /** A token of this session that was used before: two have it, and which of them is the thief cannot be told. */
  | { readonly kind: 'reused' }
  /** The first answer was lost, or is asked for by a second tab: it is given again. */
  | { readonly kind: 'repeat'; readonly next: RefreshSecret }
  | { readonly kind: 'rotate'; readonly next: RefreshSecret; readonly state: RefreshState };

/** Bytes: enough to tell a token of the session from an invented one. */
const familyBytes = 16;

export function newRefreshSecret(randomText: RandomText, now: Date): { readonly secret: RefreshSecret; readonly state: RefreshState } {
  const secret = { family: randomText(familyBytes), current: randomText(secretBytes) };
  return { secret, state: { familyHash: hashSecret(secret.family), tokenHash: hashSecret(secret.current), previousHash: null, successorSalt: null, refreshedAt: now } };
}

/** At no time more than one token of a session leads to another one that was not there before. */
export function decideRefresh(session: SessionState, given: RefreshSecret, idleMs: number, now: Date, randomText: RandomText): RefreshDecision {
  if (!isOfFamily(session, given)) return { kind: 'unknown' };
  if (isOver(session, idleMs, now)) return { kind: 'ended' };
  const givenHash = hashSecret(given.current);
  if (givenHash === session.tokenHash) {
    const salt = randomText(secretBytes);
    const next = { family: given.family, current: successorOf(given.current, salt) };
    return { kind: 'rotate', next, state: { familyHash: session.familyHash, tokenHash: hashSecret(next.current), previousHash: givenHash, successorSalt: salt, refreshedAt: now } };
  }
  const isRepeatable = givenHash === session.previousHash && session.successorSalt !== null && now.getTime() - session.refreshedAt.getTime() <= refreshRepeatMs;
  if (isRepeatable) return { kind: 'repeat', next: { family: given.family, current: successorOf(given.current, session.successorSalt) } };
  return { kind: 'reused' };
}

/** Whether a token, live or outdated, was once given for this session. */
export function isOfFamily(session: Pick<SessionState, 'familyHash'>, given: RefreshSecret): boolean {
  return hashSecret(given.family) === session.familyHash;
}

/** When the session ends unless it is refreshed before. */
export function endOf(session: Pick<SessionState, 'refreshedAt' | 'expiresAt'>, idleMs: number): Date {
  return new Date(Math.min(session.refreshedAt.getTime() + idleMs, session.expiresAt.getTime()));
}

export function isOver(session: Pick<SessionState, 'refreshedAt' | 'expiresAt' | 'endedAt'>, idleMs: number, now: Date): boolean {
  return session.endedAt !== null || endOf(session, idleMs) <= now;
}

/** The next token follows from the one before and a salt in the database: it can be given twice and is kept nowhere. Neither alone leads to it. */
function successorOf(current: string, salt: string): string {
  return createHash('sha256').update(JSON.stringify(['switchboard refresh token', salt, current])).digest('base64url');
}

const separator = '-';
const familyLength = Math.ceil((familyBytes * 4) / 3);

export function joinRefreshSecret({ family, current }: RefreshSecret): string {
  return `${family}${separator}${current}`;
}

export function splitRefreshSecret(secret: string): RefreshSecret | undefined {
  if (secret[familyLength] !== separator) return undefined;
  return { family: secret.slice(0, familyLength), current: secret.slice(familyLength + 1) };
}
