import { runAsSystem } from '@switchboard/tenant-context';
import type { Parts } from '../flow/parts.ts';

const hourMs = 3_600_000;

/** Drops statuses that waited in vain for their message: sent by another program with the same account. */
export async function dropEarlyStatuses({ db, now, log }: Parts, keptHours: number): Promise<void> {
  const dropped = await runAsSystem('drop statuses of unknown messages of all tenants', () =>
    db.transaction(() =>
      db.sql.query<{ count: number }>(
        `with dropped as (delete from provider_messages where message_id is null and at < $1 returning 1) select count(*)::int as count from dropped`,
        [new Date(now().getTime() - keptHours * hourMs)],
      ),
    ),
  );
  const count = dropped[0]?.count ?? 0;
  if (count > 0) log.info({ count }, 'statuses of messages that are not ours were dropped');
}
