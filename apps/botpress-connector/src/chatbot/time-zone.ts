/** What clocks show in a time zone. */
export type Zone = {
  /** Milliseconds that a clock there is ahead of UTC at a moment. */
  offsetAt(at: number): number;
};

/** As many as there are names of zones: making a format costs more than a thousand uses of it. */
const zones = new Map<string, Zone>();

/** Throws a RangeError for a name that is none. */
export function zoneOf(timeZone: string): Zone {
  let zone = zones.get(timeZone);
  if (zone === undefined) zones.set(timeZone, (zone = makeZone(timeZone)));
  return zone;
}

function makeZone(timeZone: string): Zone {
  // Gregorian, digits of ASCII and 24 hours, whatever the process's locale.
  const format = new Intl.DateTimeFormat('en-u-ca-gregory-nu-latn-hc-h23', { timeZone, era: 'short', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' });
  return {
    offsetAt(at) {
      const whole = Math.floor(at / 1_000) * 1_000;
      const parts: Partial<Record<Intl.DateTimeFormatPartTypes, string>> = {};
      for (const { type, value } of format.formatToParts(whole)) parts[type] = value;
      return Date.UTC(Number(parts.year), Number(parts.month) - 1, Number(parts.day), Number(parts.hour), Number(parts.minute), Number(parts.second)) - whole;
    },
  };
}
