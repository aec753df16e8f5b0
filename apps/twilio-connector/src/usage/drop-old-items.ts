import { runAsSystem } from '@switchboard/tenant-context';
import type { UsageItems } from '../store/usage-items.ts';
import { daysMax } from './read-days.ts';

/** Rows of one transaction: some hundredths of a second. */
const batchMax = 2_000;

/** A few days more than can be asked for: today is one of them, and the last one may be in another half of the world. */
export async function dropOldItems(items: Pick<UsageItems, 'deleteOlderThan'>): Promise<void> {
  await runAsSystem('retention of usage', async () => {
    while ((await items.deleteOlderThan(daysMax + 2, batchMax)) === batchMax);
  });
}
