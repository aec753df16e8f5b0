import type { EventType } from '@switchboard/contracts';
import type { BusDriver, DriverFigures, DriverParts } from '../driver.ts';
import { createLaneRunner, type LaneConsumer } from '../lanes/lane-runner.ts';
import { createFairScheduler } from '../ordering/fair-scheduler.ts';
import type { Subscription } from '../port.ts';
import { createBroadcastConsumer } from './broadcast-consumer.ts';
import { createRecordWork } from './consume-record.ts';
import { createClient } from './create-client.ts';
import { createTopics, topicName } from './create-topics.ts';
import { createGroupConsumer, type GroupConsumer } from './group-consumer.ts';
import type { KafkaOptions } from './kafka-options.ts';
import { createOutboxRelay } from './outbox-relay.ts';
import { createParkedLanes } from './parked-lanes.ts';
import { readRecord } from './read-record.ts';

/** Waits for Kafka at the start; beyond this the service runs and the consumers join when they can. */
const startMsMax = 20_000;
/** Kubernetes gives 30 s between SIGTERM and SIGKILL. */
const drainMsMax = 20_000;

/** Kafka between the services; each service's own Postgres for its outbox, inbox, parked lanes and dead letters. */
export function createKafkaDriver(parts: DriverParts, options: KafkaOptions): BusDriver {
  const { service, pool, schema, busUrl, subscriptions, consume, limits, log } = parts;
  const kafka = createClient(service, options, log);
  const relay = createOutboxRelay({ kafka, options, makeTopics, pool, busUrl, schema, log });
  const parking = createParkedLanes(pool, schema);
  const scheduler = createFairScheduler(limits);
  const runner = createLaneRunner({ busUrl, pool, schema, limits, log });
  const figures: DriverFigures = { inFlight: 0, handled: 0, failed: 0, retried: 0 };
  const abort = new AbortController();
  const grouped = byGroup(subscriptions.filter(({ delivery }) => delivery !== 'broadcast'));
  const broadcasts = byGroup(subscriptions.filter(({ delivery }) => delivery === 'broadcast'));
  const parked: LaneConsumer = { groups: [...grouped.keys()], consume, figures: { inFlight: 0, handled: 0, failed: 0, retried: 0 } };
  const consumers = [...[...grouped].map(([group, types]) => groupConsumer(group, types)), ...[...broadcasts].map(([group, types]) => createBroadcastConsumer({ kafka, options, group, types, consume, signal: abort.signal, log }))];
  let started = false;
  let making: Promise<void> | undefined;

  /** The relay and the consumers ask at the same time. */
  function makeTopics(): Promise<void> {
    making ??= createTopics(kafka, options).finally(() => (making = undefined));
    return making;
  }

  function groupConsumer(group: string, types: readonly EventType[]): GroupConsumer {
    const known = new Set<string>();
    let loaded = Promise.resolve(known);
    async function load(): Promise<Set<string>> {
      for (const lane of await parking.load(group)) known.add(lane);
      return known;
    }
    const work = {
      group, consume, parking, figures, log, signal: abort.signal,
      // A failed load is tried again by the next record that asks.
      parked: () => (loaded = loaded.catch(load)),
    };
    return createGroupConsumer({
      kafka,
      groupId: `${options.prefix ?? ''}${group}`,
      topics: types.map((type) => topicName(type, options)),
      // A group that is new reads what the topics keep: services of a fresh installation start in any order.
      from: 'earliest',
      commits: true,
      // Another process may have parked events of the partitions that came; whatever it parked before its last commit is seen by this.
      onAssigned: () => {
        loaded = load();
        loaded.catch((error: unknown) => log.warn({ err: error, group }, 'parked lanes could not be loaded; trying again'));
      },
      take(record) {
        const event = readRecord(group, record.message);
        if (event === undefined) {
          log.error({ group, offset: record.message.offset }, 'a record that is no event was skipped');
          record.finish();
          return;
        }
        scheduler.add({ tenantId: event.tenantId, lane: `${group} ${event.orderingKey}`, run: createRecordWork(work, record, event) });
      },
      log,
    });
  }

  async function drain(): Promise<void> {
    for (const consumer of consumers) consumer.quiesce();
    const aborting = setTimeout(() => abort.abort(), drainMsMax);
    let leaving: NodeJS.Timeout | undefined;
    // A handler that does not end when told to is left behind; its record is not committed.
    const left = new Promise<void>((resolve) => (leaving = setTimeout(resolve, drainMsMax + 1_000)));
    await Promise.race([scheduler.close(), left]);
    clearTimeout(aborting);
    clearTimeout(leaving);
  }

  return {
    async start() {
      started = true;
      await relay.start();
      await runner.start();
      runner.add(parked);
      if (consumers.length === 0) return;
      const running = makeTopics().catch((error: unknown) => log.warn({ err: error }, 'topics could not be made now')).then(() => Promise.all(consumers.map((consumer) => consumer.start())));
      let giveUp: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => (giveUp = setTimeout(resolve, startMsMax)));
      await Promise.race([running, late]);
      clearTimeout(giveUp);
    },
    async stop() {
      if (!started) return;
      await drain();
      await Promise.all(consumers.map((consumer) => consumer.stop()));
      await runner.remove(parked);
      await runner.stop();
      await relay.stop();
    },
    unhealthy: () => (started ? (relay.unhealthy() ?? runner.unhealthy()) : 'the bus is not started'),
    figures: () => ({
      inFlight: figures.inFlight + parked.figures.inFlight,
      handled: figures.handled + parked.figures.handled,
      failed: figures.failed + parked.figures.failed,
      retried: figures.retried + parked.figures.retried,
    }),
    leads: () => relay.leads,
    wake: () => relay.wake(),
    countPending: () => relay.countPending(),
  };
}

/** Event types by the group that listens to them. */
export function byGroup(subscriptions: readonly Subscription[]): Map<string, EventType[]> {
  const groups = new Map<string, EventType[]>();
  for (const { group, type } of subscriptions) groups.set(group, [...(groups.get(group) ?? []), type]);
  return groups;
}
