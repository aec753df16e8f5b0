import { hubError } from '@switchboard/contracts';

/** A page from one row more than it holds: the extra one says that there is another page. `idOf` is what the list is ordered by. */
export function pageOfRows<Row>(rows: readonly Row[], limit: number, idOf: (row: Row) => string | number): { data: Row[]; nextCursor: string | null } {
  const data = rows.slice(0, limit);
  const last = data.at(-1);
  return { data, nextCursor: rows.length > limit && last !== undefined ? writeCursor(idOf(last)) : null };
}

/** Opaque to callers: where the page before ended. */
export function writeCursor(last: string | number): string {
  return Buffer.from(String(last)).toString('base64url');
}

/** What the ids of ours consist of; a cursor of anything else, such as a zero byte, would be a text that Postgres refuses. */
const ids = /^[\w-]+$/;

/** Reads what `writeCursor` made of an id; undefined for no cursor. Throws `request.invalid` on any other text. */
export function readCursor(cursor: string | undefined, pattern: RegExp = ids): string | undefined {
  if (cursor === undefined) return undefined;
  const last = Buffer.from(cursor, 'base64url').toString('utf8');
  if (!pattern.test(last) || writeCursor(last) !== cursor) throw hubError('request.invalid', { issues: [{ path: 'query.cursor', message: 'is not a cursor of this list' }] });
  return last;
}

/** The same of a position in a list; what Postgres calls an integer holds nine digits for sure. */
export function readPositionCursor(cursor: string | undefined): number | undefined {
  const last = readCursor(cursor, /^\d{1,9}$/);
  return last === undefined ? undefined : Number(last);
}
