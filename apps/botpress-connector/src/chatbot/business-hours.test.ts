import { describe, expect, it } from '@jest/globals';
import { weekDays, type BusinessHours } from '@switchboard/contracts';
import fc from 'fast-check';
import { isOpen, nextOpening, openingsBetween } from './business-hours.ts';

const minuteMs = 60_000;
const office: BusinessHours = {
  timezone: 'Europe/Berlin',
  hours: [
    { day: 'mon-fri', from: '09:00', to: '12:00' },
    { day: 'mon-fri', from: '13:00', to: '18:00' },
    { day: 'fri-sat', from: '22:00', to: '02:00' },
  ],
  exceptions: [{ date: '2026-12-24', hours: [{ from: '09:00', to: '12:00' }] }, { date: '2026-12-25', closed: true }],
};
const at = (text: string) => new Date(text);

describe('business hours', () => {
  it.each([
    ['a Monday morning', '2026-11-16T08:00:00Z', true],
    ['the minute before', '2026-11-16T07:59:59.999Z', false],
    ['the break', '2026-11-16T11:30:00Z', false],
    ['the end, which is not part of them', '2026-11-16T17:00:00Z', false],
    ['a Saturday after midnight, of the Friday before', '2026-11-21T00:30:00Z', true],
    ['a Friday after midnight, of no Thursday', '2026-11-20T00:30:00Z', false],
    ['a Sunday after midnight, of the Saturday before', '2026-11-22T00:59:00Z', true],
    ['the short day before the holiday', '2026-12-24T10:59:00Z', true],
    ['its afternoon', '2026-12-24T13:00:00Z', false],
    ['the holiday', '2026-12-25T10:00:00Z', false],
    ['the night after the holiday, whose own evening is closed', '2026-12-26T00:30:00Z', false],
  ])('know %s', (_, text, open) => {
    expect(isOpen(office, at(text))).toBe(open);
  });

  it('are always where there are none', () => {
    expect(isOpen(undefined, at('2026-11-22T03:00:00Z'))).toBe(true);
    expect(nextOpening(undefined, at('2026-11-22T03:00:00Z'))).toEqual(at('2026-11-22T03:00:00Z'));
  });

  it.each([
    ['now, while somebody is there', '2026-11-16T08:30:00Z', '2026-11-16T08:30:00Z'],
    ['after the break', '2026-11-16T11:30:00Z', '2026-11-16T12:00:00Z'],
    ['on Monday, from the night of Sunday', '2026-11-22T12:00:00Z', '2026-11-23T08:00:00Z'],
    ['on the evening after the holiday', '2026-12-24T12:00:00Z', '2026-12-26T21:00:00Z'],
  ])('begin again %s', (_, from, next) => {
    expect(nextOpening(office, at(from))).toEqual(at(next));
  });

  it('that never come have no next opening', () => {
    expect(nextOpening({ timezone: 'Europe/Berlin', hours: [] }, at('2026-11-22T12:00:00Z'))).toBeUndefined();
    expect(nextOpening({ timezone: 'Europe/Berlin', hours: [], exceptions: [{ date: '2026-11-23', closed: true }] }, at('2026-11-22T12:00:00Z'))).toBeUndefined();
  });
});

const calendar = new Intl.DateTimeFormat('en', { weekday: 'short', timeZone: 'UTC' });
const clocks = new Map<string, Intl.DateTimeFormat>();

/** Writes as Swedes do: 2026-03-29 03:00:00. */
function clockIn(timeZone: string): Intl.DateTimeFormat {
  const clock = clocks.get(timeZone) ?? new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
  clocks.set(timeZone, clock);
  return clock;
}

/** A clock on the wall, read minute by minute: written apart from the code, by nothing but what the clock shows. */
function oracle(hours: BusinessHours, at: Date): boolean {
  const [date = '', time = ''] = clockIn(hours.timezone).format(at).split(' ');
  const minutes = minutesOf(time);
  const before = new Date(new Date(`${date}T12:00:00Z`).getTime() - 86_400_000).toISOString().slice(0, 10);
  return shifts(hours, date).some(([from, to]) => minutes >= from && (to <= from || minutes < to)) || shifts(hours, before).some(([from, to]) => to < from && minutes < to);
}

function shifts({ hours, exceptions = [] }: BusinessHours, date: string): [number, number][] {
  const special = exceptions.filter((exception) => exception.date === date);
  const name = calendar.format(new Date(`${date}T12:00:00Z`)).toLowerCase();
  const list = special.length > 0 ? special.flatMap((exception) => ('hours' in exception ? exception.hours : [])) : hours.filter(({ day }) => daysOf(day).includes(name));
  return list.map(({ from, to }) => [minutesOf(from), minutesOf(to)]);
}

function daysOf(range: string): string[] {
  const [first = '', last = first] = range.split('-');
  const days: string[] = [];
  for (let i = weekDays.findIndex((day) => day === first); ; i = (i + 1) % 7) {
    days.push(weekDays[i] ?? '');
    if (weekDays[i] === last) return days;
  }
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}

/** Around changes of the clock, in both directions and of half an hour, and where there are none. */
const changes = [
  ['Europe/Berlin', '2026-03-29T01:00:00Z'],
  ['Europe/Berlin', '2026-10-25T01:00:00Z'],
  ['America/New_York', '2026-03-08T07:00:00Z'],
  ['America/New_York', '2026-11-01T06:00:00Z'],
  ['Australia/Lord_Howe', '2026-04-04T15:00:00Z'],
  ['Australia/Lord_Howe', '2026-10-03T15:30:00Z'],
  ['America/Santiago', '2026-09-06T04:00:00Z'],
  ['Africa/Casablanca', '2026-02-15T02:00:00Z'],
  ['Asia/Kathmandu', '2026-06-01T00:00:00Z'],
  ['Pacific/Apia', '2011-12-30T10:00:00Z'],
] as const;

const time = fc.tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 })).map(([hour, minute]) => `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`);
const interval = fc.record({ from: time, to: fc.oneof(time, fc.constant('24:00')) }).filter(({ from, to }) => from !== to);
const day = fc.oneof(fc.constantFrom(...weekDays), fc.tuple(fc.constantFrom(...weekDays), fc.constantFrom(...weekDays)).map((pair) => pair.join('-')));
const hoursNear = (timezone: string, change: string): fc.Arbitrary<BusinessHours> => {
  const date = fc.integer({ min: -1, max: 1 }).map((days) => new Date(Date.parse(change) + days * 86_400_000).toISOString().slice(0, 10));
  const exception = fc.oneof(fc.record({ date, closed: fc.constant(true as const) }), fc.record({ date, hours: fc.array(interval, { minLength: 1, maxLength: 2 }) }));
  return fc.record({ timezone: fc.constant(timezone), hours: fc.array(fc.tuple(day, interval).map(([name, span]) => ({ day: name, ...span })), { minLength: 1, maxLength: 4 }), exceptions: fc.array(exception, { maxLength: 2 }) });
};

describe.each(changes)('business hours in %s about %s', (timezone, change) => {
  const start = Date.parse(change) - 6 * 3_600_000;
  const end = start + 12 * 3_600_000;

  it('are those that a clock on the wall shows, in every minute', () => {
    fc.assert(
      fc.property(hoursNear(timezone, change), (hours) => {
        const stretches = openingsBetween(hours, new Date(start), new Date(end));
        for (let minute = start; minute < end; minute += minuteMs) {
          const moment = new Date(minute);
          const wanted = oracle(hours, moment);
          const inStretch = stretches.some(({ from, until }) => from.getTime() <= minute && minute < until.getTime());
          if (isOpen(hours, moment) !== wanted || inStretch !== wanted) throw new Error(`${moment.toISOString()} is ${wanted ? 'open' : 'closed'}`);
        }
      }),
      { numRuns: 4 },
    );
  });

  it('begin next at the first minute in which they are open', () => {
    fc.assert(
      fc.property(hoursNear(timezone, change), fc.integer({ min: 0, max: 12 * 60 }), (hours, offset) => {
        const from = start + offset * minuteMs;
        const next = nextOpening(hours, new Date(from));
        const end = from + 6 * 3_600_000;
        let first = from;
        while (first < end && !oracle(hours, new Date(first))) first += minuteMs;
        // None within the hours that were looked at: then later, or never.
        expect(Math.min(next?.getTime() ?? Infinity, end)).toBe(first);
      }),
      { numRuns: 8 },
    );
  });
});
