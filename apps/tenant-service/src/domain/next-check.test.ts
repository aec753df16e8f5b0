import { describe, expect, it } from '@jest/globals';
import { nextCheckAt } from './next-check.ts';

const now = new Date('2026-11-21T12:00:00Z');
const minutesAfter = (attempts: number) => ((nextCheckAt(now, attempts, true)?.getTime() ?? Number.NaN) - now.getTime()) / 60_000;

describe('the next check of credentials', () => {
  it('comes after a minute, then after twice as long, at most an hour', () => {
    expect([1, 2, 3, 6, 7, 20].map(minutesAfter)).toEqual([1, 2, 4, 32, 60, 60]);
  });

  it('does not come when asking again cannot help, nor for ever', () => {
    expect(nextCheckAt(now, 1, false)).toBeUndefined();
    expect(nextCheckAt(now, 50, true)).toBeUndefined();
  });
});
