import { isHubError, type Retry } from '@switchboard/contracts';

export type RetryPolicy = {
  /** Tries of one event that count, the first included; then it is a dead letter. */
  readonly attemptsMax: number;
  /** Wait before the next try, in milliseconds; `attempt` is the one that failed (1, 2, …). */
  readonly delayMs: (attempt: number) => number;
  /** How long an event may go on failing at all, in milliseconds. Default: a day. */
  readonly ageMsMax?: number;
};

const firstDelayMs = 500;
/** A provider that is back after an outage is noticed within five minutes. */
const delayMsMax = 300_000;
/**
 * Ten waits double up to the cap (six minutes in all), 61 more of 225 s on average: about four hours. Longer than a provider's usual outage,
 * so that one leaves no holes in the conversations; short enough that somebody looks the same day.
 */
const attemptsMax = 72;
/** An answer older than a day is no answer any more (and WhatsApp's window for it has closed): whatever the reason, waiting ends here. */
const ageMsMax = 24 * 3_600_000;
/** What a provider asks for is granted up to an hour: a Retry-After of days would end the event by age without another try. */
const askedMsMax = 3_600_000;
/** A provider that throttles and names no time is asked again after a tenth of the time that it has throttled already. */
const throttledPart = 0.1;

/** Doubling, with jitter: half of the wait is random, so that what failed together does not come back together. */
export const defaultRetryPolicy: RetryPolicy = {
  attemptsMax,
  delayMs: (attempt) => jittered(Math.min(delayMsMax, firstDelayMs * 2 ** (attempt - 1))),
};

function jittered(wholeMs: number): number {
  return wholeMs / 2 + Math.random() * (wholeMs / 2);
}

/** `attempts`: tries that count so far, the failed one included if it counts. */
export type Fate = { readonly kind: 'retry'; readonly afterMs: number; readonly attempts: number } | { readonly kind: 'dead' };

/** The try that failed: `attempt` counts from 1, `ageMs` is how long the event has been waiting for this consumer. */
export type FailedTry = { readonly attempt: number; readonly ageMs: number };

/**
 * What becomes of an event whose attempt failed. A HubError says it; a database error that passes by itself is tried later; anything else
 * is a bug, and a bug is not transient: dead at once. A wait that the failure asks for makes our own longer, never shorter. Being throttled
 * is no failure of the event, and of many that wait for their turn each is throttled often: such a try is not counted, nor is one whose failure
 * says so; age alone bounds them.
 */
export function decideFate(error: unknown, { attempt, ageMs }: FailedTry, policy: RetryPolicy): Fate {
  const retry: Retry = isHubError(error) ? error.retry : isPassingStorageError(error) ? 'later' : 'never';
  const isThrottled = isHubError(error) && error.code === 'provider.throttled';
  const isCounted = !isThrottled && (typeof retry === 'string' || retry.counted !== false);
  if (retry === 'never' || ageMs >= (policy.ageMsMax ?? ageMsMax) || (isCounted && attempt >= policy.attemptsMax)) return { kind: 'dead' };
  const askedMs = retry !== 'later' ? Math.min(retry.afterMs, askedMsMax) : isThrottled ? jittered(Math.min(delayMsMax, ageMs * throttledPart)) : 0;
  return { kind: 'retry', afterMs: Math.max(1, Math.ceil(Math.max(policy.delayMs(attempt), askedMs))), attempts: isCounted ? attempt : attempt - 1 };
}

/** SQLSTATE classes 08 (connection), 40 (deadlock, serialization), 53 (resources), 57P (shutdown), 55P03 (lock timeout); Prisma's P2034 and P1001–P1017. */
const passingCodes = /^(08...|40...|53...|57P..|55P03|P2034|P10(01|02|08|17)|ECONNRESET|ECONNREFUSED|EPIPE)$/;

/** pg says some losses without a code. */
const lostConnection = /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|Query read timeout)/;

function isPassingStorageError(error: unknown): boolean {
  for (let current: unknown = error, depth = 0; current instanceof Error && depth < 5; current = current.cause, depth++) {
    if ('code' in current && typeof current.code === 'string' && passingCodes.test(current.code)) return true;
    if (lostConnection.test(current.message)) return true;
  }
  return false;
}
