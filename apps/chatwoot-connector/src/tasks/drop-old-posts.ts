import type { Database } from '@switchboard/db';
import { runAsSystem } from '@switchboard/tenant-context';
import type { Threads } from '../store/threads.ts';

/** As long as deliveries are kept: what is tried again after that is a new message to everybody. */
const postLifeDays = 60;
/** Rows of one transaction: some hundredths of a second. */
const batchMax = 2_000;

export async function dropOldPosts(db: Pick<Database<unknown>, 'transaction'>, threads: Pick<Threads, 'deletePostsOlderThan'>): Promise<void> {
  await runAsSystem('retention of posts', async () => {
    while ((await db.transaction(() => threads.deletePostsOlderThan(postLifeDays, batchMax))) === batchMax);
  });
}
