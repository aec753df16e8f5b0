import { listQuarantine } from '@switchboard/contracts';
import { defineRoute, pageOfRows, readCursor, type Route } from '@switchboard/service-kit';
import type { QuarantineStore } from '../store/quarantine.ts';

export function listQuarantineRoute(quarantine: QuarantineStore): Route {
  return defineRoute(listQuarantine, async ({ query: { limit, cursor } }) => {
    const beforeId = readCursor(cursor);
    const rows = await quarantine.list({ limit: limit + 1, ...(beforeId === undefined ? {} : { beforeId }) });
    return pageOfRows(rows, limit, (row) => row.quarantineId);
  });
}
