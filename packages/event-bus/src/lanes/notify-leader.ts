import type { Pool } from 'pg';
import type { BusLog } from '../port.ts';

/** For events that were published without a notification by a process that led then and does not now: who leads has not heard of them. */
export function notifyLeader(pool: Pool, channel: string, log: BusLog): void {
  pool.query('select pg_notify($1, $2)', [channel, '']).catch((error: unknown) => log.warn({ err: error, channel }, 'published events wait until the table is looked through'));
}
