import { exportAudit } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import type { Dependencies } from '../app.ts';

export function exportAuditRoute({ tenants, auditReader }: Dependencies): Route {
  return defineRoute(exportAudit, async ({ query: { afterSequence, limit } }) => {
    await tenants.load();
    return await auditReader.exportAfter(afterSequence, limit);
  });
}
