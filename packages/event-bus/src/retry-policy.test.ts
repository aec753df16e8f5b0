import { describe, expect, it } from '@jest/globals';
import { hubError } from '@switchboard/contracts';
import { decideFate, defaultRetryPolicy, type FailedTry, type RetryPolicy } from './retry-policy.ts';

const policy: RetryPolicy = { attemptsMax: 3, delayMs: () => 100 };
const day = 86_400_000;
const fresh = (attempt: number): FailedTry => ({ attempt, ageMs: 0 });

describe('the fate of a failed event', () => {
  it('is what the error says', () => {
    expect(decideFate(hubError('provider.unavailable'), fresh(1), policy)).toEqual({ kind: 'retry', afterMs: 100, attempts: 1 });
    expect(decideFate(hubError('provider.rejected'), fresh(1), policy)).toEqual({ kind: 'dead' });
    expect(decideFate(hubError('provider.throttled', { retry: { afterMs: 7_000 } }), fresh(1), policy)).toEqual({ kind: 'retry', afterMs: 7_000, attempts: 0 });
  });

  it('is death at once for a bug: it would fail the same way again', () => {
    expect(decideFate(new TypeError('x is undefined'), fresh(1), policy)).toEqual({ kind: 'dead' });
    expect(decideFate('a string', fresh(1), policy)).toEqual({ kind: 'dead' });
  });

  it('is death when the attempts are used up', () => {
    expect(decideFate(hubError('provider.unavailable'), fresh(2), policy).kind).toBe('retry');
    expect(decideFate(hubError('provider.unavailable'), fresh(3), policy)).toEqual({ kind: 'dead' });
  });

  it.each(['40P01', '40001', '08006', '57P01', '53300', 'P2034'])('is another try for a database error that passes by itself (%s), also as a cause', (code) => {
    const error = Object.assign(new Error('the database said no'), { code });
    expect(decideFate(error, fresh(1), policy).kind).toBe('retry');
    expect(decideFate(new Error('a query failed', { cause: error }), fresh(1), policy).kind).toBe('retry');
  });

  it('is death for a database error that stays', () => {
    expect(decideFate(Object.assign(new Error('duplicate key'), { code: '23505' }), fresh(1), policy)).toEqual({ kind: 'dead' });
  });

  it('caps a wait that a provider asks for at an hour', () => {
    expect(decideFate(hubError('provider.unavailable', { retry: { afterMs: 86_400_000 } }), fresh(1), policy)).toEqual({ kind: 'retry', afterMs: 3_600_000, attempts: 1 });
  });

  it('is never an earlier try than our own wait because the failure asks for a shorter one', () => {
    expect(decideFate(hubError('provider.unavailable', { retry: { afterMs: 5 } }), fresh(2), policy)).toEqual({ kind: 'retry', afterMs: 100, attempts: 2 });
  });

  it('is another try however often a provider throttles, until the event is a day old', () => {
    const throttled = hubError('provider.throttled', { retry: { afterMs: 6_000 } });
    expect(decideFate(throttled, { attempt: 3, ageMs: day - 1 }, policy)).toEqual({ kind: 'retry', afterMs: 6_000, attempts: 2 });
    expect(decideFate(throttled, { attempt: 1, ageMs: day }, policy)).toEqual({ kind: 'dead' });
  });

  it('is another try, not counted, for a failure that says it is not the event\'s own', () => {
    const held = hubError('provider.unauthorized', { retry: { afterMs: 60_000, counted: false } });
    expect(decideFate(held, { attempt: 3, ageMs: day - 1 }, policy)).toEqual({ kind: 'retry', afterMs: 60_000, attempts: 2 });
    expect(decideFate(held, { attempt: 1, ageMs: day }, policy)).toEqual({ kind: 'dead' });
  });

  it('is a longer and longer wait when a provider throttles and names no time', () => {
    const waitOf = (ageMs: number): number => {
      const fate = decideFate(hubError('provider.throttled'), { attempt: 1, ageMs }, policy);
      return fate.kind === 'retry' ? fate.afterMs : 0;
    };
    expect(waitOf(0)).toBe(100);
    expect(waitOf(600_000)).toBeGreaterThanOrEqual(30_000);
    expect(waitOf(600_000)).toBeLessThanOrEqual(60_000);
    expect(waitOf(day - 1)).toBeLessThanOrEqual(300_000);
  });

  it('is death of old age for any failure', () => {
    expect(decideFate(hubError('provider.unavailable'), { attempt: 1, ageMs: day }, policy)).toEqual({ kind: 'dead' });
  });
});

describe('the default waits', () => {
  it('double from half a second up to five minutes, half of each by chance', () => {
    for (let attempt = 1; attempt < 30; attempt++) {
      const whole = Math.min(300_000, 500 * 2 ** (attempt - 1));
      const delayMs = defaultRetryPolicy.delayMs(attempt);
      expect(delayMs).toBeGreaterThanOrEqual(whole / 2);
      expect(delayMs).toBeLessThanOrEqual(whole);
    }
  });

  it('outlast an outage of hours, not of days', () => {
    let hours = 0;
    for (let attempt = 1; attempt < defaultRetryPolicy.attemptsMax; attempt++) hours += defaultRetryPolicy.delayMs(attempt) / 3_600_000;
    expect(hours).toBeGreaterThan(3);
    expect(hours).toBeLessThan(5);
  });
});
