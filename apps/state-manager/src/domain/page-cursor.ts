import { hubError } from '@switchboard/contracts';

/** Where a page ended, as an opaque text. */
export function toCursor(last: string | number): string {
  return Buffer.from(JSON.stringify(last)).toString('base64url');
}

/** What `toCursor` made; undefined for no cursor. Throws `request.invalid` on any other text. */
export function parseCursor<Kind extends 'string' | 'number'>(cursor: string | undefined, kind: Kind): (Kind extends 'string' ? string : number) | undefined {
  if (cursor === undefined) return undefined;
  const value = read(cursor);
  if (typeof value !== kind || (typeof value === 'number' && !Number.isSafeInteger(value))) throw hubError('request.invalid', { issues: [{ path: 'query.cursor', message: 'is not a cursor of this list' }] });
  return value as Kind extends 'string' ? string : number; // its type was just compared with `kind`
}

function read(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    return undefined;
  }
}
