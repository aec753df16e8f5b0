import { eventIdSchema } from '@switchboard/contracts';
import { eraseTenantRows } from '@switchboard/db';
import { runAsSystem, runAsTenant } from '@switchboard/tenant-context';
import type { Dependencies } from '../app.ts';
import type { Erasure } from '../store/erasures.ts';

/** The last step: what this service keeps goes, the audit, the data key and the tenant itself among it. Only the receipt stays. */
export async function finishErasure({ db, bus, audit, auditReader, erasures, now }: Dependencies, { erasureId, tenantId }: Erasure): Promise<void> {
  const eventId = eventIdSchema.parse(`evt_${erasureId.slice('ers_'.length)}`);
  const note = <T>(fn: () => Promise<T>) => runAsSystem('an erasure outlives its tenant', fn);
  await runAsTenant(tenantId, () =>
    bus.erasedTenants.erase({ eventId, occurredAt: now().toISOString() }, {
      ofAll: true,
      async rows(count) {
        const end = await auditReader.end();
        // Nothing is appended any more; where there is none, it was erased by a try that broke off.
        if (end !== undefined) {
          await note(() => erasures.noteAudit(erasureId, { entries: end.sequence, headHash: end.hash }));
          await db.transaction(async () => count({ audit_entries: (await audit.erase()).entries }));
        }
        await eraseTenantRows(db, count);
      },
      async done(rows) {
        const at = now();
        await note(() =>
          db.transaction(async () => {
            await erasures.addReceipt(tenantId, { service: 'tenant-service', rows: { ...rows }, at: at.toISOString() });
            await erasures.complete(erasureId, at);
          }),
        );
      },
    }),
  );
}
