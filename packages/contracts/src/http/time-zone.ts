import { z } from 'zod';

/** A time zone by its IANA name. */
export const timeZoneSchema = z.string().max(64).refine(isTimeZone, 'use an IANA time zone, such as Europe/Berlin');

function isTimeZone(value: string): boolean {
  try {
    return Intl.DateTimeFormat('en', { timeZone: value }) !== undefined;
  } catch {
    return false;
  }
}
