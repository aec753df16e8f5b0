import { runAsSystem } from '@switchboard/tenant-context';
import type { Parts } from '../flow/parts.ts';

const hourMs = 3_600_000;

/** Rows of one statement: well within the statement's time limit, whatever the table has become. */
const droppedAtOnceMax = 10_000;

/** Drops statuses that waited in vain for their message: sent by another program with the same account. */
export async function dropEarlyStatuses({ db, now, log }: Parts, keptHours: number): Promise<void> {
  const before = new Date(now().getTime() - keptHours * hourMs);
  let total = 0;
  for (;;) {
    const dropped = await runAsSystem('drop statuses of unknown messages of all tenants', () =>
      db.transaction(() =>
        db.sql.query<{ count: number }>(
          `with old as (select ctid from provider_messages where message_id is null and at < $1 limit $2),
             dropped as (delete from provider_messages where ctid = any(array(select ctid from old)) returning 1)
           select count(*)::int as count from dropped`,
          [before, droppedAtOnceMax],
        ),
      ),
    );
    const count = dropped[0]?.count ?? 0;
    total += count;
    if (count < droppedAtOnceMax) break;
  }
  if (total > 0) log.info({ count: total }, 'statuses of messages that are not ours were dropped');
}
