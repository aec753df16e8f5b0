/** RFC 3339 in UTC from unix seconds or from a text that is a time; undefined for anything else, and for years that RFC 3339 does not write. */
export function instantOf(time: number | string | null | undefined): string | undefined {
  if (time === null || time === undefined) return undefined;
  const at = new Date(typeof time === 'number' ? time * 1000 : time);
  const year = Number.isNaN(at.getTime()) ? 0 : at.getUTCFullYear();
  return year >= 1970 && year <= 9999 ? at.toISOString() : undefined;
}
