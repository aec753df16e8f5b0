import { runAsSystem, runAsTenant, currentTenant } from '@switchboard/tenant-context';
import type { Parts } from '../flow/parts.ts';
import { contactsToldMax, dropReported, findUnreported, takeUnreported } from '../store/unreported-usage.ts';

/** Tells what every tenant has used since it was last told, as `usage.recorded`: each delta once, whatever fails and whoever else does the same. */
export async function reportUsage(parts: Parts): Promise<void> {
  const { db, log } = parts;
  const due = await runAsSystem('find usage of all tenants that was not told', () => db.transaction(() => findUnreported(db.sql)));
  for (const { tenantId, month } of due) {
    await runAsTenant(tenantId, () => reportMonth(parts, month)).catch((error: unknown) => {
      // The others must not wait for it; nothing of it is lost, the next tick tells it.
      log.warn({ err: error, tenantId }, 'usage of a tenant could not be told');
    });
  }
}

async function reportMonth({ db, bus }: Parts, month: string): Promise<void> {
  for (;;) {
    // Told and marked in one transaction: neither without the other.
    const { contacts } = await db.transaction(async () => {
      const delta = await takeUnreported(db.sql, month);
      if (delta.messages.length > 0 || delta.contacts.length > 0) {
        await bus.publish('usage.recorded', { month, messages: [...delta.messages], mediaBytes: delta.mediaBytes, contacts: [...delta.contacts] }, { orderingKey: currentTenant() });
      }
      return delta;
    });
    if (contacts.length < contactsToldMax) return;
  }
}

/** Months that are kept after they ended: long enough for every time zone and for a bus that was away. */
const keptMonths = 2;

/** Drops counts of months that are over and told; tenant-service keeps the sums. */
export async function dropOldUsage({ db, now, log }: Parts): Promise<void> {
  const at = now();
  const month = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() - keptMonths, 1)).toISOString().slice(0, 7);
  let total = 0;
  for (let dropped = 1; dropped > 0; total += dropped) dropped = await runAsSystem('drop counts of past months of all tenants', () => db.transaction(() => dropReported(db.sql, month)));
  if (total > 0) log.info({ count: total }, 'counts of past months were dropped');
}
