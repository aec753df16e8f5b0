const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** Milliseconds an access token is good for: as published. A thief of one has no longer, and who it belongs to is asked again at every use. */
export const accessTokenMs = 15 * minuteMs;

type SessionLifetime = { /** Since the last refresh. */ readonly idleMs: number; /** Since the log-in, however often it is refreshed. */ readonly absoluteMs: number };

/** Members stay logged in over a holiday week; staff, who reach every tenant, log in each working day. */
export const sessionLifetimes: Readonly<Record<'member' | 'staff', SessionLifetime>> = {
  member: { idleMs: 7 * dayMs, absoluteMs: 30 * dayMs },
  staff: { idleMs: 8 * hourMs, absoluteMs: 24 * hourMs },
};

/**
 * Milliseconds in which a refresh may be asked for again with the token that it used up: longer than a client waits before it repeats a request
 * whose answer was lost, shorter than a stolen token lies about.
 */
export const refreshRepeatMs = 10_000;

/** Invitations wait for people; links to set a password open an account that is in use; the code of a single sign-on stands in a browser's address. */
export const oneTimeTokenMs = { invitation: 7 * dayMs, password_reset: hourMs, challenge: 5 * minuteMs, sso: minuteMs } as const;
export type OneTimePurpose = keyof typeof oneTimeTokenMs;

/** Milliseconds that somebody may take to log in at their identity provider. */
export const ssoLoginMs = 10 * minuteMs;

/** How long sessions that have ended are kept to be asked about. */
export const endedSessionKeptMs = 7 * dayMs;
