import { runAsSystem } from '@switchboard/tenant-context';
import type { UsageStore } from '../store/usage.ts';

type Parts = { readonly usage: UsageStore; readonly now: () => Date; readonly log: { info(fields: object, message: string): void } };

/** Months that are kept after they ended: much longer than the bus keeps an event that could name a contact again. */
const keptMonths = 2;

/** Drops which contacts were active in months that are over; how many they were stays. */
export async function dropOldUsageContacts({ usage, now, log }: Parts): Promise<void> {
  const at = now();
  const month = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() - keptMonths, 1)).toISOString().slice(0, 7);
  let total = 0;
  for (let dropped = 1; dropped > 0; total += dropped) dropped = await runAsSystem('drop contacts of past months of all tenants', () => usage.dropContactsBefore(month));
  if (total > 0) log.info({ count: total }, 'active contacts of past months were dropped');
}
