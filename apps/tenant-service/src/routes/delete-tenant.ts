import { deleteTenant, hubError } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import type { Dependencies } from '../app.ts';
import { publishTenantChanged } from '../tenants/publish-tenant-changed.ts';

/** Shut out now, erased later: what was deleted by mistake comes back until then. */
export function deleteTenantRoute({ db, bus, tenants, audit, config, now }: Dependencies): Route {
  return defineRoute(deleteTenant, ({ query: { graceHours } }) =>
    db.transaction(async () => {
      const before = await tenants.lockAndLoad();
      const isDeleted = before.record.status === 'deleted';
      if (before.isEraseBegun) throw hubError('tenant.deleted');
      if (isDeleted && graceHours === undefined) return before.record;

      const deletedAt = before.deletedAt ?? now();
      const deleteAfter = new Date(now().getTime() + (graceHours ?? config.tenantDeleteGraceHours) * 3_600_000);
      const after = await tenants.update({ status: 'deleted', deletedAt, deleteAfter });
      await audit.append({
        action: 'tenant.deleted',
        subject: after.record.tenant_id,
        before: { status: before.record.status, delete_after: before.record.delete_after ?? null },
        after: { status: 'deleted', delete_after: after.record.delete_after },
      });
      if (!isDeleted) await publishTenantChanged(bus, after, 'deleted');
      return after.record;
    }),
  );
}
