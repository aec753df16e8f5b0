import type { BookingStore } from '../store/bookings.ts';
import type { BotpressDatabase } from '../store/client.ts';
import { isWithinHours, overlap, proposeSlots, type Calendar } from './calendar.ts';

type Deps = { readonly db: BotpressDatabase; readonly bookings: BookingStore; readonly now: () => Date };

const dayMs = 24 * 3_600_000;

/** The hub's own calendar: a list of what contacts asked for, which somebody at the tenant's looks at. */
export function createRequestCalendar({ db, bookings, now }: Deps): Calendar {
  return {
    async propose(hours, wish) {
      const taken = await bookings.listTaken(wish.from, new Date(wish.from.getTime() + (wish.days + 1) * dayMs));
      return proposeSlots(hours, taken, wish);
    },

    book: (hours, request) =>
      db.transaction(async () => {
        // One after the other: two who look at the same time would both find it free.
        await bookings.lock();
        const known = await bookings.findRequest(request.requestKey);
        if (known !== undefined) return { kind: 'booked', booking: known };
        const { startsAt: from, endsAt: until } = request;
        if (from !== undefined || until !== undefined) {
          if (from === undefined || until === undefined || from < now() || !isWithinHours(hours, { from, until })) return { kind: 'unavailable' };
          if ((await bookings.listTaken(from, until)).some((taken) => overlap(taken, { from, until }))) return { kind: 'unavailable' };
        }
        return { kind: 'booked', booking: await bookings.insert(request, now()) };
      }),
  };
}
