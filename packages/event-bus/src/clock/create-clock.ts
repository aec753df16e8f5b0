import { Logger, parseCronItems, run, type Runner, type TaskList } from 'graphile-worker';
import type { Pool } from 'pg';
import type { BusSchema } from '../bus-schema.ts';
import type { BusLog, ScheduledTask } from '../port.ts';

export interface Clock {
  /** Tasks of two owners with the same service and name are the same task. */
  add(owner: object, service: string, tasks: readonly ScheduledTask[]): Promise<void>;
  remove(owner: object): Promise<void>;
}

/** Tasks running at once in this process: they are rare and slow, and must not crowd the consumers out. */
const concurrency = 2;

/**
 * Scheduled work on graphile-worker's crontab: of all processes on the same database one runs a tick, and a tick survives a crash as a job.
 * The worker is started anew when tasks come or go; that takes milliseconds and loses no tick.
 */
export function createClock(pool: Pool, schema: BusSchema, log: BusLog): Clock {
  const owned = new Map<object, readonly (readonly [identifier: string, task: ScheduledTask])[]>();
  let runner: Runner | undefined;
  let last: Promise<void> = Promise.resolve();

  async function restart(): Promise<void> {
    await runner?.stop();
    runner = undefined;
    const tasks = new Map([...owned.values()].flat());
    if (tasks.size === 0) return;
    runner = await run({
      pgPool: pool,
      schema: schema.worker,
      concurrency,
      noHandleSignals: true,
      // Ticks are found by the worker's own clock; this is only how soon a failed one is tried again.
      pollInterval: 10_000,
      logger: workerLogger(log),
      taskList: Object.fromEntries([...tasks].map(([identifier, task]) => [identifier, () => task.run()])) satisfies TaskList,
      parsedCronItems: parseCronItems([...tasks].map(([identifier, task]) => ({ task: identifier, match: task.cron, identifier, options: { maxAttempts: 3, jobKey: identifier } }))),
    });
  }

  function inTurn(change: () => void): Promise<void> {
    const next = last.then(() => {
      change();
      return restart();
    });
    last = next.catch(() => undefined);
    return next;
  }

  return {
    add: (owner, service, tasks) => inTurn(() => void owned.set(owner, tasks.map((task) => [`${service}:${task.name}`, task] as const))),
    remove: (owner) => (owned.has(owner) ? inTurn(() => void owned.delete(owner)) : last),
  };
}

/** The worker's own chatter is of no use; its warnings and errors are. */
function workerLogger(log: BusLog): Logger {
  return new Logger((scope) => (level, message, meta) => {
    if (level === 'error') log.error({ scope, meta }, message);
    else if (level === 'warning') log.warn({ scope, meta }, message);
  });
}
