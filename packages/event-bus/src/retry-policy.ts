import { isHubError, type Retry } from '@switchboard/contracts';

export type RetryPolicy = {
  /** Tries of one event, the first included; then it is a dead letter. */
  readonly attemptsMax: number;
  /** Wait before the next try, in milliseconds; `attempt` is the one that failed (1, 2, …). */
  readonly delayMs: (attempt: number) => number;
};

const firstDelayMs = 500;
/** Twelve tries with this cap span about 40 minutes: longer than a provider's usual outage, short enough that somebody looks the same day. */
const delayMsMax = 600_000;

/** Doubling, with jitter: half of the wait is random, so that what failed together does not come back together. */
export const defaultRetryPolicy: RetryPolicy = {
  attemptsMax: 12,
  delayMs: (attempt) => {
    const whole = Math.min(delayMsMax, firstDelayMs * 2 ** (attempt - 1));
    return whole / 2 + Math.random() * (whole / 2);
  },
};

export type Fate = { readonly kind: 'retry'; readonly afterMs: number } | { readonly kind: 'dead' };

/**
 * What becomes of an event whose attempt failed. A HubError says it; a database error that passes by itself is tried later; anything else
 * is a bug, and a bug is not transient: dead at once.
 */
export function decideFate(error: unknown, attempt: number, policy: RetryPolicy): Fate {
  const retry: Retry = isHubError(error) ? error.retry : isPassingStorageError(error) ? 'later' : 'never';
  if (retry === 'never' || attempt >= policy.attemptsMax) return { kind: 'dead' };
  const delayMs = policy.delayMs(attempt);
  // What the provider asked for is a lower bound, capped like our own waits: a Retry-After of days would hold a conversation for days.
  return { kind: 'retry', afterMs: Math.ceil(retry === 'later' ? delayMs : Math.min(Math.max(retry.afterMs, 1), delayMsMax)) };
}

/** SQLSTATE classes 08 (connection), 40 (deadlock, serialization), 53 (resources), 57P (shutdown), 55P03 (lock timeout); Prisma's P2034 and P1001–P1017. */
const passingCodes = /^(08...|40...|53...|57P..|55P03|P2034|P10(01|02|08|17)|ECONNRESET|ECONNREFUSED|EPIPE)$/;

/** pg says some losses without a code. */
const lostConnection = /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect)/;

function isPassingStorageError(error: unknown): boolean {
  for (let current: unknown = error, depth = 0; current instanceof Error && depth < 5; current = current.cause, depth++) {
    if ('code' in current && typeof current.code === 'string' && passingCodes.test(current.code)) return true;
    if (lostConnection.test(current.message)) return true;
  }
  return false;
}
