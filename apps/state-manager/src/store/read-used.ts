import type { SqlSession } from '@switchboard/db';
import { currentTenant } from '@switchboard/tenant-context';

/** Messages that the tenant used in a month, for whoever adds one: others who ask wait until this transaction has ended. What does not ask (messages that come in) waits for nobody. */
export async function readUsed(sql: SqlSession, month: string): Promise<number> {
  // A statement of its own: the one that counts must see what was stored while this one waited.
  sql.enqueue(`select pg_advisory_xact_lock(hashtextextended('messages of ' || $1::text, 0))`, [currentTenant()]);
  const [row] = await sql.query<{ used: string }>('select coalesce(sum(messages), 0)::text as used from usage_counters where month = $1', [month]);
  return Number(row?.used ?? 0);
}
