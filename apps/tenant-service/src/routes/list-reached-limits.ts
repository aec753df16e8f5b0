import { listReachedLimits } from '@switchboard/contracts';
import { defineRoute, pageOfRows, readCursor, type Route } from '@switchboard/service-kit';
import type { Dependencies } from '../app.ts';

/** Where a page ended: tenant, limit and threshold. */
const place = /^[a-z0-9_-]{2,63} \d{1,9} (?:80|100)$/;

export function listReachedLimitsRoute({ usage }: Dependencies): Route {
  return defineRoute(listReachedLimits, async ({ query: { month, limit, cursor } }) => {
    const [tenantId = '', ofLimit, threshold] = (readCursor(cursor, place) ?? '').split(' ');
    const rows = await usage.listReached(month, limit + 1, { tenantId, limit: Number(ofLimit ?? 0), threshold: Number(threshold ?? 0) });
    return pageOfRows(rows, limit, (row) => `${row.tenantId} ${row.limit} ${row.threshold}`);
  });
}
