/** A calendar month of a tenant, in its time zone. */
export type Month = {
  /** `YYYY-MM`. */
  readonly month: string;
  /** The first moment of the next one: when a monthly limit resets. */
  readonly endsAt: Date;
};

const dayMs = 86_400_000;
/** Longer than any month in any time zone. */
const searchedMs = 33 * dayMs;

/** The month that it is at a moment, by the clocks of a time zone (IANA name; throws RangeError for one that does not exist). */
export function monthAt(at: Date, timeZone: string): Month {
  const month = monthReader(timeZone);
  const current = month(at.getTime());
  // Clocks leap (daylight saving, a zone that skips a day), so the end is looked for instead of reckoned.
  let inside = at.getTime();
  let outside = inside + searchedMs;
  while (outside - inside > 1) {
    const middle = Math.floor((inside + outside) / 2);
    if (month(middle) === current) inside = middle;
    else outside = middle;
  }
  return { month: current, endsAt: new Date(outside) };
}

/** When a month (`YYYY-MM`) ends in a time zone. */
export function endOfMonth(month: string, timeZone: string): Date {
  // Whatever the zone, it is that month on its 15th.
  return monthAt(new Date(`${month}-15T12:00:00.000Z`), timeZone).endsAt;
}

function monthReader(timeZone: string): (at: number) => string {
  const format = new Intl.DateTimeFormat('en', { timeZone, calendar: 'gregory', numberingSystem: 'latn', year: 'numeric', month: '2-digit' });
  return (at) => {
    const parts = format.formatToParts(at);
    const valueOf = (type: 'year' | 'month') => parts.find((part) => part.type === type)?.value ?? '';
    return `${valueOf('year').padStart(4, '0')}-${valueOf('month')}`;
  };
}

/** Time zones whose current month is kept; there are about 600. */
const keptMax = 1_000;

/** `monthAt` that looks for the end of a month once: for every message, in less than a microsecond. */
export function createMonthClock(): (at: Date, timeZone: string) => Month {
  const kept = new Map<string, { readonly from: number; readonly to: number; readonly month: Month }>();
  return (at, timeZone) => {
    const time = at.getTime();
    const known = kept.get(timeZone);
    if (known !== undefined && time >= known.from && time < known.to) return known.month;
    const month = monthAt(at, timeZone);
    if (kept.size >= keptMax) kept.clear();
    kept.set(timeZone, { from: time, to: month.endsAt.getTime(), month });
    return month;
  };
}
