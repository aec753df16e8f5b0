import type { Pool } from 'pg';
import type { BusSchema } from '../bus-schema.ts';
import type { ConsumeEvent, Outcome } from '../consume-event.ts';
import type { BusLimits, DriverFigures } from '../driver.ts';
import type { BusLog } from '../port.ts';
import { groupRemovals } from './group-removals.ts';
import { createLaneSchedule } from './lane-schedule.ts';
import { openLeaderConnection } from './leader-connection.ts';
import { createEnvelopeLoader, type EnvelopeHolder } from './load-envelopes.ts';
import { createPendingReader } from './pending-reader.ts';
import { createPendingStore, type PendingRow } from './pending-store.ts';

/** Whoever takes events of some groups: one bus object. */
export type LaneConsumer = {
  readonly groups: readonly string[];
  readonly consume: ConsumeEvent;
  /** Kept up to date by the runner. */
  readonly figures: DriverFigures;
};

export type LaneRunnerOptions = {
  readonly busUrl: string;
  readonly pool: Pool;
  readonly schema: BusSchema;
  readonly limits: BusLimits;
  /** Further channels to listen to, for the driver's own use. */
  readonly channels?: Readonly<Record<string, (payload: string) => void>>;
  readonly log: BusLog;
};

export interface LaneRunner {
  start(): Promise<void>;
  /** Lets what runs finish; after `drainMsMax` the handlers' signal is aborted. */
  stop(): Promise<void>;
  add(consumer: LaneConsumer): void;
  /** No new events for it; resolves when its running handlers are through. */
  remove(consumer: LaneConsumer): Promise<void>;
  /** Something was published: read now. */
  wake(): void;
  unhealthy(): string | undefined;
}

type Item = EnvelopeHolder & { readonly lane: string; readonly group: string; attempts: number; notBefore: number };

/** Holes and groups that came late are found at the latest by this. */
const sweepEveryMs = 30_000;
/** Waits before an event is tried again whose outcome could not be written down. */
const storageRetryMs = 1_000;
/** Kubernetes gives 30 s between SIGTERM and SIGKILL. */
const drainMsMax = 20_000;

/** Runs the rows of `pending_events`: lanes in order, tenants in turn, one process at a time. */
export function createLaneRunner({ busUrl, pool, schema, limits, channels = {}, log }: LaneRunnerOptions): LaneRunner {
  const store = createPendingStore(pool, schema);
  const schedule = createLaneSchedule<Item>(limits);
  const removeRow = groupRemovals((ids) => store.remove(ids));
  const envelopes = createEnvelopeLoader(store);
  const known = new Set<number>();
  const consumers = new Map<string, LaneConsumer[]>();
  const timers = new Set<NodeJS.Timeout>();
  /** Heads of lanes whose group has no consumer here any more. */
  const orphans = new Set<Item>();
  const drained = new Set<() => void>();
  const aborts = new Map<LaneConsumer, AbortController>();
  let leading = false;
  let reading: Promise<void> | undefined;
  let readAgain = false;
  let sweepDue = false;
  let sweeper: NodeJS.Timeout | undefined;

  const reader = createPendingReader({ store, groups: () => [...consumers.keys()], itemsOf: (tenantId) => schedule.itemsOf(tenantId), isKnown: (id) => known.has(id), take });
  const connection = openLeaderConnection({
    busUrl,
    name: schema.name,
    channels: [`${schema.name}_pending`, ...Object.keys(channels)],
    onNotification: (channel, payload) => (channel === `${schema.name}_pending` ? read() : channels[channel]?.(payload)),
    onLead: () => void lead(),
    onLost: () => {
      leading = false;
    },
    log,
  });

  async function lead(): Promise<void> {
    // What still runs from an earlier lead must end before its rows are read again.
    await Promise.all([whenIdle(), reading]);
    forgetAll();
    leading = true;
    read();
  }

  function forgetAll(): void {
    for (const timer of timers) clearTimeout(timer);
    timers.clear();
    orphans.clear();
    known.clear();
    envelopes.clear();
    schedule.clear();
    reader.reset();
  }

  function read(): void {
    readAgain = true;
    if (leading) reading ??= readAll();
  }

  async function readAll(): Promise<void> {
    try {
      for (; readAgain && isLeading(); ) {
        readAgain = false;
        const { more } = await reader.readNew(Date.now());
        await reader.refill();
        if (sweepDue) {
          sweepDue = false;
          await reader.sweep();
        }
        dispatch();
        if (more) readAgain = true;
      }
    } catch (error) {
      log.warn({ err: error, bus: schema.name }, 'pending events could not be read; trying again');
      after(storageRetryMs, read);
    } finally {
      reading = undefined;
    }
  }

  /** Read through a function: the lead may be lost during any await. */
  function isLeading(): boolean {
    return leading;
  }

  function take(row: PendingRow): void {
    // A lead lost while rows were under way: they belong to the next leader.
    if (!leading) return;
    const item: Item = { id: row.id, tenantId: row.tenantId, group: row.group, lane: `${row.tenantId} ${row.group} ${row.orderingKey}`, attempts: row.attempts, notBefore: row.waitMs > 0 ? Date.now() + row.waitMs : 0, envelope: row.envelope ?? undefined };
    known.add(item.id);
    if (item.envelope === undefined) envelopes.expect(item);
    schedule.add(item);
  }

  function dispatch(): void {
    for (let item = leading ? schedule.next() : undefined; item !== undefined; item = schedule.next()) void run(item);
  }

  async function run(item: Item): Promise<void> {
    const waitMs = item.notBefore - Date.now();
    if (waitMs > 0) return hold(item, waitMs);
    const consumer = consumers.get(item.group)?.[0];
    if (consumer === undefined) {
      orphans.add(item);
      schedule.hold(item);
      return noteIdle();
    }
    consumer.figures.inFlight++;
    try {
      const envelope = await envelopes.envelopeOf(item);
      if (envelope === undefined) return finish(item);
      const outcome = await consumer.consume({ group: item.group, envelope, attempt: item.attempts + 1, pendingId: String(item.id), signal: abortOf(consumer).signal });
      await settle(item, outcome, consumer.figures);
    } catch (error) {
      log.warn({ err: error, bus: schema.name, pendingId: item.id }, 'the outcome of an event could not be stored; it is tried again');
      hold(item, storageRetryMs);
    } finally {
      consumer.figures.inFlight--;
      noteIdle();
      dispatch();
    }
  }

  async function settle(item: Item, outcome: Outcome, figures: DriverFigures): Promise<void> {
    switch (outcome.kind) {
      case 'done':
        if (!outcome.settled) await removeRow(item.id);
        figures.handled++;
        return finish(item);
      case 'dead':
        await store.bury(item.id, item.attempts + 1, outcome.error);
        figures.failed++;
        return finish(item);
      case 'retry':
        item.attempts++;
        figures.retried++;
        await store.postpone(item.id, item.attempts, outcome.afterMs, outcome.error);
        return hold(item, outcome.afterMs);
    }
  }

  function finish(item: Item): void {
    known.delete(item.id);
    reader.noteRemoved(item.id);
    schedule.finish(item);
  }

  function hold(item: Item, waitMs: number): void {
    item.notBefore = Date.now() + waitMs;
    schedule.hold(item);
    after(waitMs, () => {
      item.notBefore = 0;
      schedule.release(item);
      dispatch();
    });
    noteIdle();
  }

  function after(waitMs: number, act: () => void): void {
    const timer = setTimeout(() => {
      timers.delete(timer);
      act();
    }, waitMs);
    timers.add(timer);
  }

  function noteIdle(): void {
    for (const check of drained) check();
  }

  /** Resolves when nothing runs (of this consumer). */
  function whenIdle(consumer?: LaneConsumer): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if ((consumer?.figures.inFlight ?? schedule.running) > 0) return;
        drained.delete(check);
        resolve();
      };
      drained.add(check);
      check();
    });
  }

  function abortOf(consumer: LaneConsumer): AbortController {
    let abort = aborts.get(consumer);
    if (abort === undefined) aborts.set(consumer, (abort = new AbortController()));
    return abort;
  }

  /** Finishing is what draining is for; a handler that does not come to an end is told to stop, and after another second left behind. */
  async function drain(consumer?: LaneConsumer): Promise<void> {
    const aborting = setTimeout(() => {
      for (const [owner, abort] of aborts) if (consumer === undefined || owner === consumer) abort.abort();
    }, drainMsMax);
    let leaving: NodeJS.Timeout | undefined;
    const left = new Promise<void>((resolve) => (leaving = setTimeout(resolve, drainMsMax + 1_000)));
    await Promise.race([whenIdle(consumer), left]);
    clearTimeout(aborting);
    clearTimeout(leaving);
  }

  return {
    async start() {
      await connection.open();
      sweeper = setInterval(() => {
        sweepDue = true;
        read();
      }, sweepEveryMs);
      sweeper.unref();
    },
    async stop() {
      clearInterval(sweeper);
      leading = false;
      await drain();
      for (const timer of timers) clearTimeout(timer);
      await connection.close();
    },
    add(consumer) {
      for (const group of consumer.groups) consumers.set(group, [...(consumers.get(group) ?? []), consumer]);
      for (const item of orphans) {
        if (!consumers.has(item.group)) continue;
        orphans.delete(item);
        schedule.release(item);
      }
      sweepDue = true;
      read();
    },
    async remove(consumer) {
      for (const group of consumer.groups) {
        const others = (consumers.get(group) ?? []).filter((other) => other !== consumer);
        if (others.length > 0) consumers.set(group, others);
        else consumers.delete(group);
      }
      await drain(consumer);
      aborts.delete(consumer);
    },
    wake: read,
    unhealthy: () => (connection.connected ? undefined : 'the bus has no database connection'),
  };
}
