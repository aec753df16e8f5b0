/** Something to run: `lane` keeps its order, `tenantId` gets its fair share, lower `id` first. */
export type LaneItem = { readonly id: number; readonly lane: string; readonly tenantId: string };

type Lane<Item> = { readonly name: string; readonly items: Item[]; state: 'idle' | 'ready' | 'running' | 'held' };
type Tenant<Item> = { readonly tenantId: string; readonly ready: Lane<Item>[]; running: number; items: number };

/**
 * A tenant is alone when none of so many starts before was another's. Counted in starts, not in time: under load these are a fraction of
 * a second, and without load nobody waits for a place anyway.
 */
const aloneAfterStarts = 200;

/**
 * Decides what runs next; runs nothing itself and knows no clock.
 * - One item of a lane at a time, in the order of ids; a held lane (its head waits for its next try) holds nobody else.
 * - Tenants take turns, each with at most `tenantConcurrency` of the `concurrency` places. So a tenant with a thousand items waiting
 *   gets one turn where a tenant with one item gets one.
 * - Beside others a tenant has half of its places: a free place is no use to the others while the processor is taken (measured with
 *   database work on two cores: a flood with 16 places makes another tenant's event take three times as long, with 8 twice, and does not
 *   get more done by it).
 */
export function createLaneSchedule<Item extends LaneItem>(limits: { readonly concurrency: number; readonly tenantConcurrency: number }): LaneSchedule<Item> {
  const lanes = new Map<string, Lane<Item>>();
  const tenants = new Map<string, Tenant<Item>>();
  /** Tenants that have a ready lane and a free place, in the order of their turns. */
  const turns = new Set<Tenant<Item>>();
  const placesBesideOthers = Math.ceil(limits.tenantConcurrency / 2);
  let running = 0;
  let starts = 0;
  /** The last start, and the last one of another tenant than that. */
  let latest = { tenantId: '', at: -aloneAfterStarts };
  let latestOther = { tenantId: '', at: -aloneAfterStarts };

  function offer(tenant: Tenant<Item>): void {
    if (tenant.ready.length > 0 && tenant.running < placesOf(tenant)) turns.add(tenant);
    else turns.delete(tenant);
  }

  function placesOf({ tenantId }: Tenant<Item>): number {
    const other = latest.tenantId === tenantId ? latestOther : latest;
    return starts - other.at >= aloneAfterStarts ? limits.tenantConcurrency : placesBesideOthers;
  }

  function noteStart({ tenantId }: Tenant<Item>): void {
    starts++;
    if (latest.tenantId === tenantId) {
      latest.at = starts;
      return;
    }
    latestOther = latest;
    latest = { tenantId, at: starts };
  }

  function ready(lane: Lane<Item>, tenant: Tenant<Item>): void {
    lane.state = 'ready';
    tenant.ready.push(lane);
    offer(tenant);
  }

  function tenantOf(item: Item): Tenant<Item> {
    let tenant = tenants.get(item.tenantId);
    if (tenant === undefined) tenants.set(item.tenantId, (tenant = { tenantId: item.tenantId, ready: [], running: 0, items: 0 }));
    return tenant;
  }

  function laneOf(item: Item): Lane<Item> {
    const lane = lanes.get(item.lane);
    if (lane === undefined) throw new Error(`lane ${item.lane} is not in the schedule`);
    return lane;
  }

  return {
    add(item) {
      const tenant = tenantOf(item);
      let lane = lanes.get(item.lane);
      if (lane === undefined) lanes.set(item.lane, (lane = { name: item.lane, items: [], state: 'idle' }));
      insertById(lane.items, item, lane.state === 'running' ? 1 : 0);
      tenant.items++;
      if (lane.state === 'idle') ready(lane, tenant);
    },
    next() {
      if (running >= limits.concurrency) return undefined;
      const [tenant] = turns;
      const lane = tenant?.ready.shift();
      if (tenant === undefined || lane === undefined) return undefined;
      lane.state = 'running';
      tenant.running++;
      running++;
      noteStart(tenant);
      // To the end of the line.
      turns.delete(tenant);
      offer(tenant);
      return lane.items[0];
    },
    finish(item) {
      const lane = laneOf(item);
      const tenant = tenantOf(item);
      lane.items.shift();
      tenant.running--;
      tenant.items--;
      running--;
      if (lane.items.length > 0) ready(lane, tenant);
      else lanes.delete(lane.name);
      if (tenant.items === 0) tenants.delete(tenant.tenantId);
      offer(tenant);
    },
    hold(item) {
      const tenant = tenantOf(item);
      laneOf(item).state = 'held';
      tenant.running--;
      running--;
      offer(tenant);
    },
    release(item) {
      const lane = lanes.get(item.lane);
      if (lane?.state === 'held') ready(lane, tenantOf(item));
    },
    get running() {
      return running;
    },
  };
}

export interface LaneSchedule<Item extends LaneItem> {
  add(item: Item): void;
  /** The next item to run, or undefined when nothing may start now. End it with `finish` or `hold`. */
  next(): Item | undefined;
  /** The item is through; its lane goes on. */
  finish(item: Item): void;
  /** The item stays at the head of its lane, and the lane waits for `release`. */
  hold(item: Item): void;
  release(item: Item): void;
  readonly running: number;
}

/** Nearly always at the end; an item whose transaction committed late goes before those with higher ids that have not started. */
function insertById<Item extends LaneItem>(items: Item[], item: Item, started: number): void {
  let at = items.length;
  while (at > started && (items[at - 1]?.id ?? 0) > item.id) at--;
  items.splice(at, 0, item);
}
