import { listQuarantine } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import { pageOfRows, readCursor } from '../domain/page-cursor.ts';
import type { QuarantineStore } from '../store/quarantine.ts';

export function listQuarantineRoute(quarantine: QuarantineStore): Route {
  return defineRoute(listQuarantine, async ({ query: { limit, cursor } }) => {
    const beforeId = readCursor(cursor);
    const rows = await quarantine.list({ limit: limit + 1, ...(beforeId === undefined ? {} : { beforeId }) });
    return pageOfRows(rows, limit, (row) => row.quarantineId);
  });
}
