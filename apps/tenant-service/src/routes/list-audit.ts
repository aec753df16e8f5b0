import { listAudit } from '@switchboard/contracts';
import { defineRoute, pageOfRows, readCursor, type Route } from '@switchboard/service-kit';
import type { Dependencies } from '../app.ts';

export function listAuditRoute({ tenants, auditReader }: Dependencies): Route {
  return defineRoute(listAudit, async ({ query: { limit, cursor, ...filter } }) => {
    await tenants.load();
    const before = readCursor(cursor, /^\d{1,15}$/);
    return pageOfRows(await auditReader.list(filter, limit + 1, before === undefined ? undefined : Number(before)), limit, ({ sequence }) => sequence);
  });
}
