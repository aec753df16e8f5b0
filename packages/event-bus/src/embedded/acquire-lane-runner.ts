import type { Pool } from 'pg';
import type { BusSchema } from '../bus-schema.ts';
import type { BusLimits } from '../driver.ts';
import { createLaneRunner, type LaneRunner } from '../lanes/lane-runner.ts';
import type { BusLog } from '../port.ts';
import { createBroadcasts, type Broadcasts } from './broadcasts.ts';

export type LaneRunnerOfProcess = { readonly runner: LaneRunner; readonly broadcasts: Broadcasts };

type Entry = LaneRunnerOfProcess & { users: number; started: Promise<void> };

const inUse = new Map<Pool, Entry>();

/** One runner for all bus objects of the process on the same bus: one listener, one reader, and tenants take turns over all services. */
export async function acquireLaneRunner(options: { busUrl: string; pool: Pool; schema: BusSchema; limits: BusLimits; log: BusLog }): Promise<{ shared: LaneRunnerOfProcess; release: () => Promise<void> }> {
  const { pool, schema, log } = options;
  let entry = inUse.get(pool);
  if (entry === undefined) {
    const broadcasts = createBroadcasts(pool, schema, log);
    const runner = createLaneRunner({ ...options, channels: { [`${schema.name}_broadcast`]: (id) => broadcasts.onNotification(id) } });
    inUse.set(pool, (entry = { runner, broadcasts, users: 0, started: runner.start() }));
  }
  const held = entry;
  held.users++;
  const release = async (): Promise<void> => {
    if (--held.users > 0) return;
    inUse.delete(pool);
    await held.runner.stop();
  };
  try {
    await held.started;
  } catch (error) {
    await release();
    throw error;
  }
  return { shared: held, release };
}
