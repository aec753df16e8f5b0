import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { createPace } from './create-pace.ts';

function paceAt(options: { perMinute: number; burst: number; onlyAfterPause?: boolean; waitMaxMs?: number }) {
  let now = 1_000_000;
  const pace = createPace({ waitMaxMs: 10_000, ...options, now: () => new Date(now) });
  return { pace, pass: (ms: number) => (now += ms), now: () => now };
}

describe('createPace', () => {
  it('lets a burst go at once, then spaces the calls', () => {
    const { pace } = paceAt({ perMinute: 60, burst: 3 });
    expect([1, 2, 3, 4, 5].map(() => pace.take('a'))).toEqual([0, 0, 0, 1_000, 2_000].map((waitMs) => ({ kind: 'go', waitMs })));
    expect(pace.take('b')).toEqual({ kind: 'go', waitMs: 0 });
  });

  it('gives a key the rate of its own, and only to it', () => {
    const { pace } = paceAt({ perMinute: 60, burst: 2 });
    expect([1, 2, 3, 4].map(() => pace.take('fast', { perMinute: 600 }))).toEqual([0, 0, 100, 200].map((waitMs) => ({ kind: 'go', waitMs })));
    expect([1, 2, 3].map(() => pace.take('a'))).toEqual([0, 0, 1_000].map((waitMs) => ({ kind: 'go', waitMs })));
  });

  it('goes on one at a time after a pause, at the key\'s own rate', () => {
    const { pace } = paceAt({ perMinute: 60, burst: 2 });
    pace.take('fast', { perMinute: 600 });
    pace.pause('fast', 5_000);
    expect([1, 2].map(() => pace.take('fast', { perMinute: 600 }))).toEqual([5_000, 5_100].map((waitMs) => ({ kind: 'go', waitMs })));
  });

  it('takes no place in line for a wait that is too long', () => {
    const { pace, pass } = paceAt({ perMinute: 60, burst: 1, waitMaxMs: 500 });
    pace.take('a');
    for (let i = 0; i < 5; i++) expect(pace.take('a')).toEqual({ kind: 'too_long', retryAfterMs: 1_000 });
    pass(1_000);
    expect(pace.take('a')).toEqual({ kind: 'go', waitMs: 0 });
  });

  it('never lets more calls go in a minute than the burst and the rate allow', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 50 }), fc.array(fc.integer({ min: 0, max: 3_000 }), { maxLength: 200 }), (perMinute, burst, gaps) => {
        const { pace, pass, now } = paceAt({ perMinute, burst });
        const calls: number[] = [];
        for (const gap of gaps) {
          pass(gap);
          const turn = pace.take('a');
          if (turn.kind === 'go') calls.push(now() + turn.waitMs);
        }
        return calls.every((start, index) => calls.filter((call, at) => at >= index && call < start + 60_000).length <= perMinute + burst + 1);
      }),
    );
  });

  it('paces a contact only after the provider threw it back, until the contact has rested', () => {
    const { pace, pass } = paceAt({ perMinute: 10, burst: 45, onlyAfterPause: true });
    for (let i = 0; i < 1_000; i++) expect(pace.take('pair')).toEqual({ kind: 'go', waitMs: 0 });
    pace.pause('pair', 6_000);
    expect(pace.take('pair')).toEqual({ kind: 'go', waitMs: 6_000 });
    expect(pace.take('pair')).toEqual({ kind: 'too_long', retryAfterMs: 12_000 });
    pass(10 * 60_000);
    for (let i = 0; i < 1_000; i++) expect(pace.take('pair')).toEqual({ kind: 'go', waitMs: 0 });
  });
});
