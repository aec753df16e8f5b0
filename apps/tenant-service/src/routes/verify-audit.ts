import { verifyAudit } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import type { Dependencies } from '../app.ts';

export function verifyAuditRoute({ tenants, auditReader }: Dependencies): Route {
  return defineRoute(verifyAudit, async () => {
    await tenants.load();
    const { entries, head, fault } = await auditReader.verify();
    return { ok: fault === undefined, entries, head, firstBroken: fault === undefined ? null : { sequence: fault.sequence, id: fault.auditId, fault: fault.fault } };
  });
}
