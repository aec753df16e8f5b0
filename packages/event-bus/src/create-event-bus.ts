import { AsyncLocalStorage } from 'node:async_hooks';
import { eventCatalogue, hubError, newId, parseEnvelope, type Envelope } from '@switchboard/contracts';
import { currentScope, currentTenant, currentTrace, runAsSystem } from '@switchboard/tenant-context';
import { busSchemaOf, type BusDriverName, type BusSchema } from './bus-schema.ts';
import { createConsumeEvent } from './consume-event.ts';
import { createDeadLetters } from './dead-letters.ts';
import { createErasedTenants } from './erased-tenants.ts';
import type { BusDriver, BusLimits, DriverParts } from './driver.ts';
import { encodeEnvelopes } from './encode-envelopes.ts';
import { createEmbeddedDriver } from './embedded/create-embedded-driver.ts';
import { createKafkaDriver } from './kafka/create-kafka-driver.ts';
import { createListeningBus } from './kafka/create-listening-bus.ts';
import type { KafkaOptions } from './kafka/kafka-options.ts';
import type { BusLog, EventBus, ScheduledTask, Subscription, UnitOfWork } from './port.ts';
import { acquirePoolAndClock } from './acquire-pool-and-clock.ts';
import { retentionTask } from './retention.ts';
import { defaultRetryPolicy, type RetryPolicy } from './retry-policy.ts';

export type EventBusOptions = {
  readonly driver: BusDriverName;
  /** The service's short name. */
  readonly service: string;
  /** The service's database: effects, inbox records and what the effects publish commit together. */
  readonly unitOfWork: UnitOfWork;
  /** Of the role that owns the bus schema. Undefined with driver `kafka`: a service without database, which only listens to broadcasts. */
  readonly busUrl: string | undefined;
  /** For driver `kafka`. */
  readonly kafka?: KafkaOptions;
  readonly log: BusLog;
  readonly retry?: RetryPolicy;
  readonly limits?: BusLimits;
};

/**
 * A handler mostly waits, for the database or for a provider: sixteen of a tenant alone use two cores up. There are places for several
 * tenants whose providers are slow, so that the next one still finds a free place.
 */
const defaultLimits: BusLimits = { concurrency: 64, tenantConcurrency: 16 };

/** The bus of one service. Publishes at once; consumes and keeps the clock from `start` to `stop`. */
export function createEventBus(options: EventBusOptions): EventBus {
  const { driver: driverName, service, unitOfWork, busUrl, log } = options;
  if (busUrl === undefined) {
    if (options.kafka === undefined) throw new Error('the bus needs the Postgres URL of its role');
    return createListeningBus({ service, kafka: options.kafka, log });
  }
  const schema = busSchemaOf(driverName, service);
  const { parts: { pool, clock }, release } = acquirePoolAndClock(busUrl, schema, log);
  const retry = options.retry ?? defaultRetryPolicy;
  const subscriptions: Subscription[] = [];
  const tasks: ScheduledTask[] = [];
  const erasedTenants = createErasedTenants({ pool, schema, driver: driverName, service, unitOfWork, groups: () => subscriptions.map(({ group }) => group) });
  /** What is set off by a publisher must not go on in its tenant, its trace and its transaction. */
  const outside = AsyncLocalStorage.snapshot();
  let driver: BusDriver | undefined;
  let stopped: Promise<void> | undefined;

  function assertNotStarted(what: string): void {
    if (driver !== undefined) throw new Error(`${what} comes before start`);
  }

  async function publishEnvelopes(envelopes: readonly Envelope[]): Promise<void> {
    if (envelopes.length === 0) return;
    const encoded = encodeEnvelopes(envelopes);
    await unitOfWork.transaction(async () => {
      const leads = driver?.leads() === true;
      unitOfWork.sql.enqueue(`select ${schema.name}.publish($1::jsonb, $2)`, [encoded, !leads]);
      if (leads) unitOfWork.afterCommit(() => outside(() => driver?.wake()));
    });
  }

  async function stop(): Promise<void> {
    await Promise.all([clock.remove(tasks), driver?.stop()]);
    await release();
  }

  return {
    async publish(type, payload, { orderingKey, eventId = newId('evt') }) {
      const trace = currentTrace();
      const envelope = parseEnvelope({
        eventId,
        type,
        version: eventCatalogue[type].version,
        tenantId: currentTenant(),
        occurredAt: new Date().toISOString(),
        traceparent: trace?.traceparent,
        causedBy: trace?.causedBy,
        orderingKey,
        payload,
      });
      await publishEnvelopes([envelope]);
      return envelope.eventId;
    },
    async publishMany(envelopes) {
      if (currentScope().kind !== 'system') throw hubError('tenant.context_missing', { detail: { reason: 'publishMany needs the system scope' } });
      await publishEnvelopes(envelopes.map((envelope) => parseEnvelope(envelope)));
    },
    subscribe(subscription) {
      assertNotStarted('subscribe');
      subscriptions.push(subscription);
    },
    schedule(task) {
      assertNotStarted('schedule');
      tasks.push(task);
    },
    async start() {
      assertNotStarted('start');
      const limits = options.limits ?? defaultLimits;
      const consume = createConsumeEvent({ schema, subscriptions, unitOfWork, pool, erasedTenants, retry, log });
      driver = createDriver(options, { service, schema, pool, busUrl, subscriptions, consume, retry, limits, log });
      await driver.start();
      const ticks = [...tasks, retentionTask(pool, schema, driverName)].map((task) => ({ ...task, run: () => runAsSystem(`scheduled task ${task.name}`, () => task.run()) }));
      await clock.add(tasks, service, ticks);
    },
    stop: () => (stopped ??= stop()),
    async unhealthy() {
      return driver === undefined ? 'the bus is not started' : driver.unhealthy();
    },
    deadLetters: createDeadLetters(pool, schema, driverName),
    erasedTenants,
    async metrics() {
      const figures = driver?.figures() ?? { inFlight: 0, handled: 0, failed: 0, retried: 0 };
      const outboxPending = (await driver?.countPending()) ?? 0;
      return { ...figures, outboxPending, deadLetters: await countDeadLetters(pool, schema) };
    },
  };
}

/** Counting beyond this costs more than the figure is worth. */
const deadLettersCountMax = 100_000;

async function countDeadLetters(pool: DriverParts['pool'], schema: BusSchema): Promise<number> {
  const { rows } = await pool.query<{ count: string }>(`select count(*) from (select from ${schema.name}.dead_letters limit ${deadLettersCountMax}) as counted`);
  return Number(rows[0]?.count ?? 0);
}

function createDriver(options: EventBusOptions, parts: DriverParts): BusDriver {
  switch (options.driver) {
    case 'embedded':
      return createEmbeddedDriver(parts);
    case 'kafka':
      if (options.kafka === undefined) throw new Error('driver kafka needs the addresses of brokers');
      return createKafkaDriver(parts, options.kafka);
  }
}
