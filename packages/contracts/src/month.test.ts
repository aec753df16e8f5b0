import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createMonthClock, endOfMonth, monthAt } from './month.ts';

const timeZones = ['UTC', 'America/Sao_Paulo', 'Europe/Berlin', 'Asia/Kolkata', 'Asia/Kathmandu', 'Pacific/Apia', 'Pacific/Kiritimati', 'America/St_Johns', 'Australia/Lord_Howe', 'Africa/Casablanca', 'Asia/Amman'];
const moment = fc.date({ min: new Date('2000-01-01T00:00:00Z'), max: new Date('2045-01-01T00:00:00Z'), noInvalidDate: true });
const timeZone = fc.constantFrom(...timeZones);
const next = (month: string) => new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5)), 1)).toISOString().slice(0, 7);

describe('the month of a tenant', () => {
  it.each([
    ['2026-12-01T02:59:59.999Z', 'America/Sao_Paulo', '2026-11', '2026-12-01T03:00:00.000Z'],
    ['2026-12-01T03:00:00.000Z', 'America/Sao_Paulo', '2026-12', '2027-01-01T03:00:00.000Z'],
    ['2026-11-30T10:00:00.000Z', 'Pacific/Kiritimati', '2026-12', '2026-12-31T10:00:00.000Z'],
    // Begins in summer time and ends in winter time, and the other way round.
    ['2026-10-10T00:00:00.000Z', 'Europe/Berlin', '2026-10', '2026-10-31T23:00:00.000Z'],
    ['2026-03-10T00:00:00.000Z', 'Europe/Berlin', '2026-03', '2026-03-31T22:00:00.000Z'],
    // Samoa left out 30 December 2011.
    ['2011-12-29T12:00:00.000Z', 'Pacific/Apia', '2011-12', '2011-12-31T10:00:00.000Z'],
  ])('at %s in %s is %s and ends at %s', (at, zone, month, endsAt) => {
    expect(monthAt(new Date(at), zone)).toEqual({ month, endsAt: new Date(endsAt) });
  });

  it('ends where the next one begins, whatever the clocks of the zone do', () => {
    fc.assert(
      fc.property(moment, timeZone, (at, zone) => {
        const { month, endsAt } = monthAt(at, zone);
        expect(endsAt.getTime()).toBeGreaterThan(at.getTime());
        expect(monthAt(new Date(endsAt.getTime() - 1), zone).month).toBe(month);
        expect(monthAt(endsAt, zone).month).toBe(next(month));
        expect(endOfMonth(month, zone)).toEqual(endsAt);
      }),
      { numRuns: 300 },
    );
  });

  it('is the same from a clock that remembers, in whatever order it is asked', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(moment, timeZone), { maxLength: 20 }), (asked) => {
        const clock = createMonthClock();
        for (const [at, zone] of asked) expect(clock(at, zone)).toEqual(monthAt(at, zone));
      }),
      { numRuns: 50 },
    );
  });
});
