import { describe, expect, it } from '@jest/globals';
import { isHubError } from '@switchboard/contracts';
import { readDays } from './read-days.ts';

const now = new Date('2026-11-22T23:30:00-05:00');

describe('the days that usage is asked of', () => {
  it('are this month so far, in GMT, where nothing is said', () => expect(readDays({}, now)).toEqual({ from: '2026-11-01', to: '2026-11-23' }));
  it('begin with the month of their end, and end today', () => {
    expect([readDays({ to: '2026-02-28' }, now), readDays({ from: '2026-10-30' }, now)]).toEqual([{ from: '2026-02-01', to: '2026-02-28' }, { from: '2026-10-30', to: '2026-11-23' }]);
  });
  it('are one day at least and 400 at most', () => {
    expect(readDays({ from: '2025-10-20', to: '2026-11-23' }, now)).toEqual({ from: '2025-10-20', to: '2026-11-23' });
    for (const query of [{ from: '2025-10-19', to: '2026-11-23' }, { from: '2026-11-02', to: '2026-11-01' }]) {
      expect(codeOf(() => readDays(query, now))).toBe('request.invalid');
    }
  });
});

function codeOf(call: () => unknown): string | undefined {
  try {
    call();
  } catch (error) {
    return isHubError(error) ? error.code : undefined;
  }
  return undefined;
}
