import type { Pool } from 'pg';
import type { BusDriverName, BusSchema } from './bus-schema.ts';
import type { ScheduledTask } from './port.ts';

/** Longer than any topic keeps its events (7 days), so that whatever can come again is still recognised. */
const inboxDays = 8;
/** Takes a second or so. */
const batchMax = 50_000;

/** Hourly: forgets inbox records that nothing can ask for any more, and broadcasts everybody has had. */
export function retentionTask(pool: Pool, { name }: BusSchema, driver: BusDriverName): ScheduledTask {
  return {
    name: 'retention',
    cron: '17 * * * *',
    async run() {
      // In batches: a busy hour is millions of records, and one statement over them would hit its time limit every hour again.
      for (let removed = batchMax; removed === batchMax; ) {
        const { rowCount } = await pool.query(`delete from ${name}.inbox where ctid = any(array(select ctid from ${name}.inbox where handled_at < now() - interval '${inboxDays} days' limit ${batchMax}))`);
        removed = rowCount ?? 0;
      }
      if (driver === 'embedded') await pool.query(`delete from ${name}.broadcasts where published_at < now() - interval '10 minutes'`);
    },
  };
}
