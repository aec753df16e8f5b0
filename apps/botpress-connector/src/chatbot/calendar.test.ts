import { describe, expect, it } from '@jest/globals';
import type { BusinessHours } from '@switchboard/contracts';
import fc from 'fast-check';
import { isOpen } from './business-hours.ts';
import { isWithinHours, overlap, proposeSlots } from './calendar.ts';

const minuteMs = 60_000;
const hours: BusinessHours = { timezone: 'Europe/Berlin', hours: [{ day: 'mon-fri', from: '09:00', to: '12:00' }, { day: 'fri', from: '22:00', to: '02:00' }] };
const slot = (from: string, minutes: number) => ({ from: new Date(from), until: new Date(Date.parse(from) + minutes * minuteMs) });

describe('slots that are proposed', () => {
  it('begin with the next opening, and pass over what is taken', () => {
    const wish = { from: new Date('2026-11-16T07:00:07Z'), days: 1, slotMinutes: 60, count: 5 };
    expect(proposeSlots(hours, [], wish)).toEqual([slot('2026-11-16T08:00:00Z', 60), slot('2026-11-16T09:00:00Z', 60), slot('2026-11-16T10:00:00Z', 60)]);
    expect(proposeSlots(hours, [slot('2026-11-16T08:30:00Z', 45)], wish)).toEqual([slot('2026-11-16T09:15:00Z', 60)]);
  });

  it('are none where nobody is ever there', () => {
    expect(proposeSlots({ timezone: 'UTC', hours: [] }, [], { from: new Date(), days: 30, slotMinutes: 30, count: 3 })).toEqual([]);
  });

  const start = Date.parse('2026-10-23T00:00:00Z');
  const moment = fc.integer({ min: 0, max: 4 * 24 * 60 }).map((minutes) => new Date(start + minutes * minuteMs));
  const taken = fc.array(fc.tuple(moment, fc.integer({ min: 1, max: 300 })).map(([from, minutes]) => ({ from, until: new Date(from.getTime() + minutes * minuteMs) })), { maxLength: 8 });
  const wishes = fc.record({ from: moment, days: fc.integer({ min: 1, max: 6 }), slotMinutes: fc.integer({ min: 5, max: 240 }), count: fc.integer({ min: 1, max: 40 }) });

  it('are never outside the hours, never taken, never over one another, and in order', () => {
    fc.assert(
      fc.property(taken, wishes, (busy, wish) => {
        const slots = proposeSlots(hours, busy, wish);
        expect(slots.length).toBeLessThanOrEqual(wish.count);
        for (const [index, one] of slots.entries()) {
          expect(one.until.getTime() - one.from.getTime()).toBe(wish.slotMinutes * minuteMs);
          expect(one.from >= wish.from).toBe(true);
          expect(isWithinHours(hours, one)).toBe(true);
          for (let at = one.from.getTime(); at < one.until.getTime(); at += 5 * minuteMs) expect(isOpen(hours, new Date(at))).toBe(true);
          expect(busy.some((other) => overlap(other, one))).toBe(false);
          expect((slots[index + 1]?.from ?? one.until) >= one.until).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('a time', () => {
  it.each([
    ['that is all within the hours', '2026-11-16T08:00:00Z', 180, true],
    ['over midnight', '2026-11-20T22:30:00Z', 120, true],
    ['that ends after them', '2026-11-16T08:00:00Z', 181, false],
    ['over a pause', '2026-11-20T08:00:00Z', 14 * 60, false],
    ['of no length', '2026-11-16T08:00:00Z', 0, false],
  ])('%s is bookable or not', (_, from, minutes, is) => {
    expect(isWithinHours(hours, slot(from, minutes))).toBe(is);
  });
});
