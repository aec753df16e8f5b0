import { hubError } from '@switchboard/contracts';

/** Cursors are opaque to callers: the last id of the page before. */
export function readCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const id = Buffer.from(cursor, 'base64url').toString('utf8');
  if (!/^\w+$/.test(id) || writeCursor(id) !== cursor) throw hubError('request.invalid', { issues: [{ path: 'query.cursor', message: 'is not a cursor of this list' }] });
  return id;
}

function writeCursor(id: string): string {
  return Buffer.from(id).toString('base64url');
}

/** A page from one row more than it holds: the extra one says that there is another page. */
export function pageOfRows<Row>(rows: readonly Row[], limit: number, idOf: (row: Row) => string): { data: Row[]; nextCursor: string | null } {
  const data = rows.slice(0, limit);
  const last = data.at(-1);
  return { data, nextCursor: rows.length > limit && last !== undefined ? writeCursor(idOf(last)) : null };
}
