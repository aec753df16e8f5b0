/** RFC 3339 in UTC from unix seconds or ISO, whichever Chatwoot has there (contract, 1.4); undefined for anything that is no time. */
export function instantOf(time: number | string | null | undefined): string | undefined {
  if (time === null || time === undefined) return undefined;
  const at = new Date(typeof time === 'number' ? time * 1000 : time);
  const year = Number.isNaN(at.getTime()) ? 0 : at.getUTCFullYear();
  return year >= 1970 && year <= 9999 ? at.toISOString() : undefined;
}
