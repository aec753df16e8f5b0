/**
 * Whether a service that mostly fails is asked at all. Closed: it is. Open: nobody waits for it. Half-open: one request tries it, and its
 * outcome decides. Time comes in, nothing is kept here.
 */
export type Breaker =
  | { readonly kind: 'closed'; readonly sinceMs: number; readonly succeeded: number; readonly failed: number }
  | { readonly kind: 'open'; readonly untilMs: number }
  | { readonly kind: 'half-open'; readonly probedAtMs: number };

export type BreakerEvent =
  | { readonly kind: 'ask' }
  /** Of a request that was let through; `isProbe` as it was told then. `abandoned`: the caller went away before it was known. */
  | { readonly kind: 'succeeded' | 'failed' | 'abandoned'; readonly isProbe: boolean };

export type BreakerDecision = { readonly breaker: Breaker; /** Of an `ask`. */ readonly answer: 'pass' | 'probe' | 'refuse' };

/** Milliseconds over which outcomes are counted together. */
export const windowMs = 10_000;
/** Fewer outcomes than this say nothing: one slow request of one tenant must not close a service to all. */
export const outcomesMin = 20;
/** From this share of failures on a service is worse asked than not. */
export const failedShareMax = 0.5;
/** Milliseconds without asking: a restart takes about as long. Also the age at which a probe that was never heard of counts as lost. */
export const openMs = 2_000;

export const closedBreaker: Breaker = { kind: 'closed', sinceMs: 0, succeeded: 0, failed: 0 };

export function decideBreaker(breaker: Breaker, event: BreakerEvent, nowMs: number): BreakerDecision {
  if (event.kind === 'ask') return ask(breaker, nowMs);
  return { breaker: learn(breaker, event, nowMs), answer: 'pass' };
}

function ask(breaker: Breaker, nowMs: number): BreakerDecision {
  switch (breaker.kind) {
    case 'closed':
      return { breaker, answer: 'pass' };
    case 'open':
      if (nowMs < breaker.untilMs) return { breaker, answer: 'refuse' };
      return { breaker: { kind: 'half-open', probedAtMs: nowMs }, answer: 'probe' };
    case 'half-open':
      if (nowMs < breaker.probedAtMs + openMs) return { breaker, answer: 'refuse' };
      return { breaker: { kind: 'half-open', probedAtMs: nowMs }, answer: 'probe' };
  }
}

function learn(breaker: Breaker, { kind, isProbe }: Exclude<BreakerEvent, { kind: 'ask' }>, nowMs: number): Breaker {
  if (breaker.kind === 'half-open') {
    // Requests from before it opened end now: they say nothing about now.
    if (!isProbe) return breaker;
    if (kind === 'succeeded') return { kind: 'closed', sinceMs: nowMs, succeeded: 0, failed: 0 };
    return { kind: 'open', untilMs: kind === 'failed' ? nowMs + openMs : nowMs };
  }
  if (breaker.kind === 'open' || kind === 'abandoned') return breaker;
  const isOver = nowMs - breaker.sinceMs >= windowMs;
  const succeeded = (isOver ? 0 : breaker.succeeded) + (kind === 'succeeded' ? 1 : 0);
  const failed = (isOver ? 0 : breaker.failed) + (kind === 'failed' ? 1 : 0);
  if (failed + succeeded >= outcomesMin && failed / (failed + succeeded) >= failedShareMax) return { kind: 'open', untilMs: nowMs + openMs };
  return { kind: 'closed', sinceMs: isOver ? nowMs : breaker.sinceMs, succeeded, failed };
}
