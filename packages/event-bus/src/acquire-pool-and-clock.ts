import { Pool } from 'pg';
import type { BusSchema } from './bus-schema.ts';
import { createClock, type Clock } from './clock/create-clock.ts';
import type { BusLog } from './port.ts';

/** What the bus objects of one process share per bus role: its connections and its clock. Eight services in one process are one of each. */
export type PoolAndClock = { readonly pool: Pool; readonly clock: Clock };

/** Reads, outcomes, dead letters; effects run on the services' own connections. */
const connectionsMax = 8;
/** The clock's own: one that listens, and one for each task that runs at once. */
const clockConnectionsMax = 3;
/** Milliseconds: graphile-worker ends the process when it gets no connection for the outcome of a task, which a busy server must not lead to. */
const clockWaitMaxMs = 60_000;

const inUse = new Map<string, { parts: PoolAndClock; clockPool: Pool; users: number }>();

/** Give back with `release`; the last one closes. */
export function acquirePoolAndClock(busUrl: string, schema: BusSchema, log: BusLog): { parts: PoolAndClock; release: () => Promise<void> } {
  const key = `${busUrl} ${schema.name}`;
  let entry = inUse.get(key);
  if (entry === undefined) {
    const pool = openPool(busUrl, schema, log, { max: connectionsMax, connectionTimeoutMillis: 5_000 });
    const clockPool = openPool(busUrl, schema, log, { max: clockConnectionsMax, connectionTimeoutMillis: clockWaitMaxMs });
    inUse.set(key, (entry = { parts: { pool, clock: createClock(clockPool, schema, log) }, clockPool, users: 0 }));
  }
  const held = entry;
  held.users++;
  let released = false;
  return {
    parts: held.parts,
    release: async () => {
      if (released) return;
      released = true;
      if (--held.users > 0) return;
      inUse.delete(key);
      await Promise.all([held.parts.pool.end(), held.clockPool.end()]);
    },
  };
}

function openPool(busUrl: string, schema: BusSchema, log: BusLog, limits: { readonly max: number; readonly connectionTimeoutMillis: number }): Pool {
  const pool = new Pool({
    connectionString: busUrl,
    ...limits,
    application_name: `switchboard ${schema.name}`,
    // A server that vanished answers nothing, and TCP alone would wait for hours: our own clock ends a statement a little after the server's would.
    query_timeout: 35_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    // Plans are kept while the tables are empty, as queues are, and must still serve when a backlog has made them large: always by an index.
    options: '-c statement_timeout=30s -c enable_seqscan=off',
  });
  // Without a listener a connection that breaks while idle would end the process. The next query reports it.
  pool.on('error', (error) => log.warn({ err: error, bus: schema.name }, 'an idle connection of the bus broke'));
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}
