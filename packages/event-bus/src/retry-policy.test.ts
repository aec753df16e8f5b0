import { describe, expect, it } from '@jest/globals';
import { hubError } from '@switchboard/contracts';
import { decideFate, defaultRetryPolicy, type RetryPolicy } from './retry-policy.ts';

const policy: RetryPolicy = { attemptsMax: 3, delayMs: () => 100 };

describe('the fate of a failed event', () => {
  it('is what the error says', () => {
    expect(decideFate(hubError('provider.unavailable'), 1, policy)).toEqual({ kind: 'retry', afterMs: 100 });
    expect(decideFate(hubError('provider.rejected'), 1, policy)).toEqual({ kind: 'dead' });
    expect(decideFate(hubError('provider.throttled', { retry: { afterMs: 7_000 } }), 1, policy)).toEqual({ kind: 'retry', afterMs: 7_000 });
  });

  it('is death at once for a bug: it would fail the same way again', () => {
    expect(decideFate(new TypeError('x is undefined'), 1, policy)).toEqual({ kind: 'dead' });
    expect(decideFate('a string', 1, policy)).toEqual({ kind: 'dead' });
  });

  it('is death when the attempts are used up', () => {
    expect(decideFate(hubError('provider.unavailable'), 2, policy).kind).toBe('retry');
    expect(decideFate(hubError('provider.unavailable'), 3, policy)).toEqual({ kind: 'dead' });
  });

  it.each(['40P01', '40001', '08006', '57P01', '53300', 'P2034'])('is another try for a database error that passes by itself (%s), also as a cause', (code) => {
    const error = Object.assign(new Error('the database said no'), { code });
    expect(decideFate(error, 1, policy).kind).toBe('retry');
    expect(decideFate(new Error('a query failed', { cause: error }), 1, policy).kind).toBe('retry');
  });

  it('is death for a database error that stays', () => {
    expect(decideFate(Object.assign(new Error('duplicate key'), { code: '23505' }), 1, policy)).toEqual({ kind: 'dead' });
  });

  it('caps a wait that a provider asks for at ten minutes', () => {
    expect(decideFate(hubError('provider.throttled', { retry: { afterMs: 86_400_000 } }), 1, policy)).toEqual({ kind: 'retry', afterMs: 600_000 });
  });
});

describe('the default waits', () => {
  it('double from half a second up to ten minutes, half of each by chance', () => {
    for (let attempt = 1; attempt < 30; attempt++) {
      const whole = Math.min(600_000, 500 * 2 ** (attempt - 1));
      const delayMs = defaultRetryPolicy.delayMs(attempt);
      expect(delayMs).toBeGreaterThanOrEqual(whole / 2);
      expect(delayMs).toBeLessThanOrEqual(whole);
    }
  });
});
