import { weekDays, type BusinessHours } from '@switchboard/contracts';
import { zoneOf, type Zone } from './time-zone.ts';

/** A stretch of time in which somebody is there: up to and without `until`. */
export type Opening = { readonly from: Date; readonly until: Date };

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
/** Days that are looked at for the next opening: longer than any holiday, and an end for hours that never come. */
const daysAheadMax = 366;

/**
 * Whether somebody is there at this moment: whether a clock in that time zone shows a time of the hours. A time that a clock skips in spring is
 * none, and one that it shows twice in autumn counts both times. Without hours always.
 */
export function isOpen(hours: BusinessHours | undefined, at: Date): boolean {
  if (hours === undefined) return true;
  const shown = at.getTime() + zoneOf(hours.timezone).offsetAt(at.getTime());
  const today = startOfDay(shown);
  // Of the day before, what lasts past midnight.
  return [today - dayMs, today].some((date) => spansOn(hours, date).some(({ from, until }) => from <= shown && shown < until));
}

/** When somebody is there next: `at` itself while somebody is; undefined where nobody will be within a year. */
export function nextOpening(hours: BusinessHours | undefined, at: Date): Date | undefined {
  if (hours === undefined) return at;
  if (hours.hours.length === 0 && (hours.exceptions ?? []).length === 0) return undefined;
  const end = at.getTime() + daysAheadMax * dayMs;
  // Most open again within two days.
  for (let from = at.getTime(), days = 2; from < end; from += days * dayMs, days *= 4) {
    const [first] = openingsBetween(hours, new Date(from), new Date(Math.min(from + days * dayMs, end)));
    if (first !== undefined) return first.from;
  }
  return undefined;
}

/** The stretches between two moments in which somebody is there, joined where they touch, in order. */
export function openingsBetween(hours: BusinessHours, from: Date, until: Date): Opening[] {
  const spans: Span[] = [];
  for (const part of partsOf(zoneOf(hours.timezone), from.getTime(), until.getTime())) {
    // While the clock does not change, what it shows and what it is differ by one number.
    const lastShown = part.until + part.offset;
    for (let date = startOfDay(part.from + part.offset) - dayMs; date <= lastShown; date += dayMs) {
      for (const span of spansOn(hours, date)) {
        const cut = { from: Math.max(span.from - part.offset, part.from), until: Math.min(span.until - part.offset, part.until) };
        if (cut.from < cut.until) spans.push(cut);
      }
    }
  }
  return joined(spans).map((span) => ({ from: new Date(span.from), until: new Date(span.until) }));
}

type Span = { readonly from: number; readonly until: number };

/** What begins on a date, in milliseconds as a clock shows them; an exception stands in place of the week's hours. */
function spansOn({ hours, exceptions = [] }: BusinessHours, date: number): Span[] {
  const name = new Date(date).toISOString().slice(0, 10);
  const ofDate = exceptions.filter((exception) => exception.date === name);
  const intervals = ofDate.length > 0 ? ofDate.flatMap((exception) => ('hours' in exception ? exception.hours : [])) : hours.filter(({ day }) => isOnDay(day, (new Date(date).getUTCDay() + 6) % 7));
  return intervals.map(({ from, to }) => ({ from: date + millisecondsOf(from), until: date + millisecondsOf(to) + (to < from ? dayMs : 0) }));
}

/** `fri-mon` goes over the weekend. `day` counts from 0 for Monday. */
function isOnDay(range: string, day: number): boolean {
  const [first = '', last = first] = range.split('-');
  const from = positionOf(first);
  return (day - from + 7) % 7 <= (positionOf(last) - from + 7) % 7;
}

function positionOf(day: string): number {
  return weekDays.findIndex((name) => name === day);
}

function millisecondsOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return (hours * 60 + minutes) * minuteMs;
}

function startOfDay(shown: number): number {
  return Math.floor(shown / dayMs) * dayMs;
}

/** Steps in which changes of the clock are looked for; no zone changes its clock twice within one. */
const stepMs = dayMs / 4;

/** The time between two moments in parts in each of which the clock does not change. */
function partsOf(zone: Zone, from: number, until: number): (Span & { readonly offset: number })[] {
  const parts: (Span & { readonly offset: number })[] = [];
  let start = from;
  let offset = zone.offsetAt(from);
  for (let at = from; at < until; at += stepMs) {
    const next = Math.min(at + stepMs, until);
    const after = zone.offsetAt(next);
    if (after === offset) continue;
    const change = changeBetween(zone, at, next);
    parts.push({ from: start, until: change, offset });
    start = change;
    offset = after;
  }
  return [...parts, { from: start, until, offset }];
}

function changeBetween(zone: Zone, low: number, high: number): number {
  const before = zone.offsetAt(low);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (zone.offsetAt(middle) === before) low = middle;
    else high = middle;
  }
  return high;
}

function joined(spans: readonly Span[]): Span[] {
  const all: { from: number; until: number }[] = [];
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    const last = all.at(-1);
    if (last !== undefined && span.from <= last.until) last.until = Math.max(last.until, span.until);
    else all.push({ ...span });
  }
  return all;
}
