import type { Pool } from 'pg';
import type { BusSchema } from '../bus-schema.ts';
import type { ConsumeEvent, Outcome } from '../consume-event.ts';
import type { BusLimits, DriverFigures } from '../driver.ts';
import { createFairScheduler, type FairScheduler, type WorkResult } from '../ordering/fair-scheduler.ts';
import type { BusLog } from '../port.ts';
import { groupRemovals } from './group-removals.ts';
import { openLeaderConnection } from './leader-connection.ts';
import { notifyLeader } from './notify-leader.ts';
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
  unhealthy(): string | undefined;
  /** Whether this process runs what is published: `wake` then does what a notification would. */
  readonly leads: boolean;
  /** Runs what this process has published without a notification, or has the process do it that leads now. */
  wake(): void;
}

/** `lost`: another process may lead meanwhile. */
type Lead = { readonly scheduler: FairScheduler; lost: boolean };

type Item = EnvelopeHolder & { readonly group: string; readonly lead: Lead; attempts: number; readonly since: number; notBefore: number };

/** Holes and groups that came late are found at the latest by this. */
const sweepEveryMs = 30_000;
/** When the reader overlooked holes: those who fill them commit together and soon, and a sweep is cheap but not free. */
const sweepSoonMs = 1_000;
/** Wait before an event is tried again whose outcome could not be written down, or whose group has no consumer here now. */
const againAfterMs = 1_000;
/** What ran when the lead was lost is waited for until its last statement has failed for sure (see acquire-pool-and-clock.ts), and then left behind. */
const leftoverMsMax = 40_000;
/** Kubernetes gives 30 s between SIGTERM and SIGKILL. */
const drainMsMax = 20_000;

/** Runs the rows of `pending_events`: lanes in order, tenants in turn, one process at a time. */
export function createLaneRunner({ busUrl, pool, schema, limits, channels = {}, log }: LaneRunnerOptions): LaneRunner {
  const store = createPendingStore(pool, schema);
  const removeRow = groupRemovals((ids) => store.remove(ids));
  const envelopes = createEnvelopeLoader(store);
  const consumers = new Map<string, LaneConsumer[]>();
  const aborts = new Map<LaneConsumer, AbortController>();
  const idleChecks = new Set<() => void>();
  const known = new Set<number>();
  const itemsByTenant = new Map<string, number>();
  /** There while this process leads. */
  let led: Lead | undefined;
  let closing: Promise<void> = Promise.resolve();
  let reading: Promise<void> | undefined;
  let readAgain = false;
  let sweepDue = false;
  let sweeper: NodeJS.Timeout | undefined;
  let sweeping: NodeJS.Timeout | undefined;
  let stopped = false;

  const reader = createPendingReader({ store, groups: () => [...consumers.keys()], itemsOf: (tenantId) => itemsByTenant.get(tenantId) ?? 0, isKnown: (id) => known.has(id), take });
  const pendingChannel = `${schema.name}_pending`;
  const connection = openLeaderConnection({
    busUrl,
    name: schema.name,
    channels: [pendingChannel, ...Object.keys(channels)],
    onNotification: (channel, payload) => (channel === pendingChannel ? read() : channels[channel]?.(payload)),
    onLead: () => void lead(),
    onLost: () => {
      if (led !== undefined) led.lost = true;
      giveUpLead();
    },
    log,
  });

  async function lead(): Promise<void> {
    // What still runs or reads from an earlier lead must end before its rows are read again.
    await Promise.all([closing, reading]);
    if (stopped || led !== undefined || !connection.leading) return;
    known.clear();
    itemsByTenant.clear();
    envelopes.clear();
    reader.reset();
    led = { scheduler: createFairScheduler(limits), lost: false };
    read();
  }

  function giveUpLead(): void {
    closing = Promise.all([closing, led && within(led.scheduler.close(), leftoverMsMax)]).then(() => undefined);
    led = undefined;
  }

  function read(): void {
    readAgain = true;
    if (led !== undefined) reading ??= readAll();
  }

  async function readAll(): Promise<void> {
    try {
      for (; readAgain && isLeading(); ) {
        readAgain = false;
        const { more, overlooked } = await reader.readNew(Date.now());
        if (overlooked) sweeping ??= setTimeout(sweepSoon, sweepSoonMs).unref();
        await reader.refill();
        if (sweepDue) {
          sweepDue = false;
          await reader.sweep();
        }
        if (more) readAgain = true;
      }
    } catch (error) {
      log.warn({ err: error, bus: schema.name }, 'pending events could not be read; trying again');
      setTimeout(read, againAfterMs).unref();
    } finally {
      reading = undefined;
    }
  }

  function sweepSoon(): void {
    sweeping = undefined;
    sweepDue = true;
    read();
  }

  /** Asked through a function: the lead may be lost during any await. */
  function isLeading(): boolean {
    return led !== undefined;
  }

  function take(row: PendingRow): void {
    // A lead lost while rows were under way: they belong to the next leader.
    if (led === undefined) return;
    const item: Item = { id: row.id, lead: led, tenantId: row.tenantId, group: row.group, attempts: row.attempts, since: Date.now() - row.ageMs, notBefore: row.waitMs > 0 ? Date.now() + row.waitMs : 0, envelope: row.envelope ?? undefined };
    known.add(item.id);
    itemsByTenant.set(item.tenantId, (itemsByTenant.get(item.tenantId) ?? 0) + 1);
    if (item.envelope === undefined) envelopes.expect(item);
    led.scheduler.add({ id: item.id, tenantId: item.tenantId, lane: `${item.group} ${row.orderingKey}`, run: () => run(item) });
  }

  async function run(item: Item): Promise<WorkResult> {
    const waitMs = item.notBefore - Date.now();
    if (waitMs > 0) return { againAfterMs: waitMs };
    const consumer = consumers.get(item.group)?.[0];
    if (consumer === undefined) return { againAfterMs };
    const { figures } = consumer;
    figures.inFlight++;
    try {
      const envelope = await envelopes.envelopeOf(item);
      const outcome = envelope === undefined ? gone : await consumer.consume({ group: item.group, envelope, attempt: item.attempts + 1, since: item.since, pendingId: String(item.id), signal: abortOf(consumer).signal, isRevoked: () => item.lead.lost });
      return await settle(item, outcome, figures);
    } catch (error) {
      log.warn({ err: error, bus: schema.name, pendingId: item.id }, 'the outcome of an event could not be stored; it is tried again');
      return { againAfterMs };
    } finally {
      figures.inFlight--;
      for (const check of idleChecks) check();
    }
  }

  async function settle(item: Item, outcome: Outcome, figures: DriverFigures): Promise<WorkResult> {
    // Who leads now has read the row too, and decides what becomes of it.
    if (item.lead.lost && outcome.kind !== 'done') return undefined;
    switch (outcome.kind) {
      case 'done':
        if (!outcome.settled) await removeRow(item.id);
        figures.handled++;
        return forget(item);
      case 'dead':
        await store.bury(item.id, item.attempts + 1, outcome.error);
        figures.failed++;
        return forget(item);
      case 'retry':
        item.attempts = outcome.attempts;
        figures.retried++;
        await store.postpone(item.id, item.attempts, outcome.afterMs, outcome.error);
        return { againAfterMs: outcome.afterMs };
    }
  }

  function forget(item: Item): undefined {
    // The books of this process are of a later lead.
    if (item.lead.lost) return;
    known.delete(item.id);
    reader.noteRemoved(item.id);
    const items = (itemsByTenant.get(item.tenantId) ?? 1) - 1;
    if (items === 0) itemsByTenant.delete(item.tenantId);
    else itemsByTenant.set(item.tenantId, items);
    if (reader.wantsRefill(item.tenantId)) read();
  }

  function whenIdle(consumer: LaneConsumer): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (consumer.figures.inFlight > 0) return;
        idleChecks.delete(check);
        resolve();
      };
      idleChecks.add(check);
      check();
    });
  }

  function abortOf(consumer: LaneConsumer): AbortController {
    let abort = aborts.get(consumer);
    if (abort === undefined) aborts.set(consumer, (abort = new AbortController()));
    return abort;
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
      stopped = true;
      clearInterval(sweeper);
      clearTimeout(sweeping);
      giveUpLead();
      await drained(closing, () => {
        for (const abort of aborts.values()) abort.abort();
      });
      await connection.close();
    },
    add(consumer) {
      for (const group of consumer.groups) consumers.set(group, [...(consumers.get(group) ?? []), consumer]);
      sweepDue = true;
      read();
    },
    async remove(consumer) {
      for (const group of consumer.groups) {
        const others = (consumers.get(group) ?? []).filter((other) => other !== consumer);
        if (others.length > 0) consumers.set(group, others);
        else consumers.delete(group);
      }
      await drained(whenIdle(consumer), () => aborts.get(consumer)?.abort());
      aborts.delete(consumer);
    },
    get leads() {
      return connection.leading && !stopped;
    },
    wake() {
      if (connection.leading && !stopped) read();
      else notifyLeader(pool, pendingChannel, log);
    },
    unhealthy: () => (connection.connected ? undefined : 'the bus has no database connection'),
  };
}

/** The row was settled by somebody else meanwhile. */
const gone: Outcome = { kind: 'done', settled: true };

/** Finishing is what draining is for; a handler that does not come to an end is told to stop, and after another second left behind. */
async function drained(idle: Promise<void>, abort: () => void): Promise<void> {
  const aborting = setTimeout(abort, drainMsMax);
  await within(idle, drainMsMax + 1_000);
  clearTimeout(aborting);
}

/** Resolves with it, or after so long. */
async function within(idle: Promise<void>, ms: number): Promise<void> {
  let leaving: NodeJS.Timeout | undefined;
  const left = new Promise<void>((resolve) => (leaving = setTimeout(resolve, ms)));
  await Promise.race([idle, left]);
  clearTimeout(leaving);
}
