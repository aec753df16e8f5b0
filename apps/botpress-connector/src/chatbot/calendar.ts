import type { BookingRecord, BusinessHours } from '@switchboard/contracts';
import type { BookingRequest } from '../store/bookings.ts';
import { openingsBetween } from './business-hours.ts';

/** A time that can be booked: up to and without `until`. */
export type Slot = { readonly from: Date; readonly until: Date };

export type Booked =
  | { readonly kind: 'booked'; readonly booking: BookingRecord }
  /** Outside business hours, in the past, or taken. */
  | { readonly kind: 'unavailable' };

/** Whose calendar it is stays open: the hub's own list of requests, or one at a provider. Works for the current tenant. */
export interface Calendar {
  /** Times within the hours that nobody has, the soonest first. */
  propose(hours: BusinessHours | undefined, wish: SlotWish): Promise<Slot[]>;
  /** Takes a time for a contact, or notes a request without one. The same `requestKey` again is answered by the same booking. */
  book(hours: BusinessHours | undefined, request: BookingRequest): Promise<Booked>;
}

/** What is looked for. */
export type SlotWish = { readonly from: Date; readonly days: number; readonly slotMinutes: number; readonly count: number };

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/** Pure: slots of one length one after the other from the beginning of each opening, none that overlaps what is taken. Without hours every time is one. */
export function proposeSlots(hours: BusinessHours | undefined, taken: readonly Slot[], { from, days, slotMinutes, count }: SlotWish): Slot[] {
  const lengthMs = slotMinutes * minuteMs;
  // Whole minutes: nobody books at 09:00:07.
  const start = new Date(Math.ceil(from.getTime() / minuteMs) * minuteMs);
  const end = new Date(start.getTime() + days * dayMs);
  const openings = hours === undefined ? [{ from: start, until: end }] : openingsBetween(hours, start, end);
  const slots: Slot[] = [];
  for (const opening of openings) {
    for (let at = opening.from.getTime(); at + lengthMs <= opening.until.getTime() && slots.length < count; ) {
      const slot = { from: new Date(at), until: new Date(at + lengthMs) };
      const inTheWay = taken.find((one) => overlap(one, slot));
      if (inTheWay === undefined) slots.push(slot);
      // After what is taken, not in steps through it.
      at = inTheWay === undefined ? at + lengthMs : Math.max(at + 1, Math.ceil(inTheWay.until.getTime() / minuteMs) * minuteMs);
    }
  }
  return slots;
}

/** Pure: whether somebody is there for the whole of it. */
export function isWithinHours(hours: BusinessHours | undefined, { from, until }: Slot): boolean {
  if (from.getTime() >= until.getTime()) return false;
  if (hours === undefined) return true;
  const [only, ...more] = openingsBetween(hours, from, until);
  return more.length === 0 && only !== undefined && only.from.getTime() === from.getTime() && only.until.getTime() === until.getTime();
}

export function overlap(a: Slot, b: Slot): boolean {
  return a.from.getTime() < b.until.getTime() && b.from.getTime() < a.until.getTime();
}
