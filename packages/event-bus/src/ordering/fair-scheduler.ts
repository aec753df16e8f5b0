import { createLaneSchedule, type LaneItem } from '../lanes/lane-schedule.ts';

/** One piece of work. Work of one lane runs one at a time, lower ids first among those that have not begun. */
export type Work = {
  /** Default: the order added. Of one scheduler, all work has one or none has. */
  readonly id?: number;
  readonly tenantId: string;
  readonly lane: string;
  /** Never rejects. */
  run(): Promise<WorkResult>;
};

/** `againAfterMs`: run it again after that time; its lane waits, its place does not. */
export type WorkResult = { readonly againAfterMs: number } | undefined;

export interface FairScheduler {
  add(work: Work): void;
  readonly running: number;
  /** Forgets all that does not run, takes no more, and resolves when nothing runs. */
  close(): Promise<void>;
}

type Item = LaneItem & { readonly work: Work };

/** Runs what is added: serial per lane, parallel over lanes, tenants in turn, within the limits of the lane schedule. */
export function createFairScheduler(limits: { readonly concurrency: number; readonly tenantConcurrency: number }): FairScheduler {
  const schedule = createLaneSchedule<Item>(limits);
  const rests = new Set<NodeJS.Timeout>();
  let added = 0;
  let closed = false;
  let drained: (() => void) | undefined;

  function dispatch(): void {
    for (let item = next(); item !== undefined; item = next()) void run(item);
  }

  function next(): Item | undefined {
    return closed ? undefined : schedule.next();
  }

  async function run(item: Item): Promise<void> {
    const result = await item.work.run();
    if (result === undefined) schedule.finish(item);
    else rest(item, result.againAfterMs);
    if (closed && schedule.running === 0) drained?.();
    dispatch();
  }

  function rest(item: Item, ms: number): void {
    schedule.hold(item);
    const timer = setTimeout(() => {
      rests.delete(timer);
      schedule.release(item);
      dispatch();
    }, ms);
    rests.add(timer);
  }

  return {
    add(work) {
      if (closed) return;
      schedule.add({ id: work.id ?? added++, lane: `${work.tenantId} ${work.lane}`, tenantId: work.tenantId, work });
      dispatch();
    },
    get running() {
      return schedule.running;
    },
    async close() {
      closed = true;
      for (const timer of rests) clearTimeout(timer);
      if (schedule.running > 0) await new Promise<void>((resolve) => (drained = resolve));
    },
  };
}
