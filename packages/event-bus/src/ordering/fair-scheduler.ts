/** One piece of work. Work of one lane runs one at a time, in the order added. */
export type Work = {
  readonly tenantId: string;
  readonly lane: string;
  /** Never rejects. `againAfterMs`: run it again after that time; its lane waits, its slot does not. */
  run(): Promise<WorkResult>;
};
export type WorkResult = { readonly againAfterMs: number } | undefined;

export type SchedulerLimits = {
  /** Running at once. */
  readonly concurrency: number;
  /** Running at once for one tenant. */
  readonly tenantConcurrency: number;
};

export interface FairScheduler {
  add(work: Work): void;
  readonly running: number;
  /** Added and not running. */
  readonly waiting: number;
  /** Forgets all that does not run, takes no more, and resolves when nothing runs. */
  close(): Promise<void>;
}

type Lane = { readonly tenant: Tenant; readonly name: string; readonly queue: Work[]; head: number };
type Tenant = { readonly id: string; running: number; readonly ready: Set<Lane>; lanes: number };

/**
 * Serial per lane, parallel over lanes, tenants taken round robin, each with a cap: a tenant with a thousand waiting lanes gets one turn for
 * every turn of a tenant with one. All steps are constant time, however many lanes and tenants wait.
 */
export function createFairScheduler(limits: SchedulerLimits): FairScheduler {
  const tenants = new Map<string, Tenant>();
  const lanes = new Map<string, Lane>();
  // A Set keeps insertion order: its first member has waited longest.
  const turns = new Set<Tenant>();
  const rests = new Set<NodeJS.Timeout>();
  let running = 0;
  let waiting = 0;
  let closed = false;
  let drained: (() => void) | undefined;

  function offer(tenant: Tenant): void {
    if (tenant.ready.size > 0 && tenant.running < limits.tenantConcurrency) turns.add(tenant);
  }

  function fill(): void {
    while (running < limits.concurrency && !closed) {
      const tenant = first(turns);
      const lane = tenant && first(tenant.ready);
      if (tenant === undefined || lane === undefined) return;
      turns.delete(tenant);
      tenant.ready.delete(lane);
      tenant.running++;
      running++;
      waiting--;
      offer(tenant);
      void run(lane);
    }
  }

  async function run(lane: Lane): Promise<void> {
    const work = lane.queue[lane.head];
    const result = await work?.run();
    running--;
    lane.tenant.running--;
    if (closed) {
      if (running === 0) drained?.();
      return;
    }
    if (result === undefined) {
      next(lane);
    } else {
      waiting++;
      const timer = setTimeout(() => {
        rests.delete(timer);
        ready(lane);
      }, result.againAfterMs);
      rests.add(timer);
    }
    offer(lane.tenant);
    fill();
  }

  function next(lane: Lane): void {
    lane.head++;
    if (lane.head < lane.queue.length) {
      // Dropped in one go now and then: shift() on a long queue moves all that is left, each time.
      if (lane.head >= 1_000) {
        lane.queue.splice(0, lane.head);
        lane.head = 0;
      }
      lane.tenant.ready.add(lane);
      return;
    }
    lanes.delete(lane.name);
    lane.tenant.lanes--;
    if (lane.tenant.lanes === 0) tenants.delete(lane.tenant.id);
  }

  function ready(lane: Lane): void {
    lane.tenant.ready.add(lane);
    offer(lane.tenant);
    fill();
  }

  return {
    add(work) {
      if (closed) return;
      waiting++;
      const name = `${work.tenantId}\n${work.lane}`;
      const known = lanes.get(name);
      if (known !== undefined) {
        known.queue.push(work);
        return;
      }
      let tenant = tenants.get(work.tenantId);
      if (tenant === undefined) {
        tenant = { id: work.tenantId, running: 0, ready: new Set(), lanes: 0 };
        tenants.set(work.tenantId, tenant);
      }
      tenant.lanes++;
      const lane: Lane = { tenant, name, queue: [work], head: 0 };
      lanes.set(name, lane);
      ready(lane);
    },
    get running() {
      return running;
    },
    get waiting() {
      return waiting;
    },
    async close() {
      closed = true;
      waiting = 0;
      for (const timer of rests) clearTimeout(timer);
      turns.clear();
      if (running > 0) await new Promise<void>((resolve) => (drained = resolve));
    },
  };
}

function first<T>(set: ReadonlySet<T>): T | undefined {
  for (const member of set) return member;
  return undefined;
}
