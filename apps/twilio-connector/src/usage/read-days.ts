import { hubError } from '@switchboard/contracts';

/** `YYYY-MM-DD` in GMT, both included. */
export type Days = { readonly from: string; readonly to: string };

/** As long as the hub keeps what it counted. */
export const daysMax = 400;

const dayMs = 86_400_000;

/** The days that are asked for; this month so far, or up to a day the month of it, where nothing is said. Throws `request.invalid`. Pure. */
export function readDays({ from: givenFrom, to: givenTo }: { readonly from?: string | undefined; readonly to?: string | undefined }, now: Date): Days {
  const today = now.toISOString().slice(0, 10);
  const to = givenTo ?? (givenFrom !== undefined && givenFrom > today ? givenFrom : today);
  const from = givenFrom ?? `${to.slice(0, 8)}01`;
  const days = (Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / dayMs + 1;
  if (days < 1) throw hubError('request.invalid', { issues: [{ path: 'query.to', message: 'is before "from"' }] });
  if (days > daysMax) throw hubError('request.invalid', { issues: [{ path: 'query.from', message: `is more than ${daysMax} days before "to"` }] });
  return { from, to };
}
