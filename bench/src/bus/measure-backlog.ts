import { newId, type Envelope, type TenantId } from '@switchboard/contracts';
import { onEvent } from '@switchboard/event-bus';
import { runAsSystem } from '@switchboard/tenant-context';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import type { BenchServers } from './bench-servers.ts';

export type Backlog = { readonly name: string; readonly events: number; readonly seconds: number; readonly eventsPerSecond: number; readonly orderViolations: number };

export const keys = 50;
/** 0 to 5 ms, as a call to a database or a provider's stand-in takes. */
const work = (): Promise<void> => sleep(Math.random() * 5);

/**
 * A backlog of one tenant over 50 keys. `conversation.changed` has three partitions, of which one tenant uses one: so all of it lies in one
 * partition, and only key-ordered parallelism can be faster than one after the other.
 */
export async function measureBusBacklog(servers: BenchServers, driver: 'kafka' | 'embedded', tenant: TenantId, events: number): Promise<Backlog> {
  const group = 'bench-backlog';
  const open = servers.createBus(driver, { limits: { concurrency: 64, tenantConcurrency: 64 } });
  const seen = createOrderCheck();
  let finished: () => void = () => undefined;
  const done = new Promise<void>((resolve) => (finished = resolve));
  open.bus.subscribe(
    onEvent({
      type: 'conversation.changed',
      group,
      effect: 'idempotent',
      handle: async ({ orderingKey, payload }) => {
        if (payload.status !== 'closed') return;
        await work();
        if (seen.note(orderingKey, Number(payload.reason)) === events) finished();
      },
    }),
  );
  // The clock runs from the first publish: what is measured is the way, not only its end.
  await open.bus.start();
  const started = performance.now();
  const batch = 500;
  for (let n = 0; n < events; n += batch) {
    const envelopes = Array.from({ length: Math.min(batch, events - n) }, (_, index) => envelope(tenant, n + index));
    await runAsSystem('a benchmark publishes a backlog', () => open.bus.publishMany(envelopes));
  }
  await done;
  const seconds = (performance.now() - started) / 1_000;
  await open.stop();
  return { name: `switchboard ${driver}, published and handled`, events, seconds, eventsPerSecond: events / seconds, orderViolations: seen.violations() };
}

/** What kafkajs' eachMessage does with it: one after the other. */
export async function measureKafkajsBacklog(servers: BenchServers, events: number): Promise<Backlog> {
  const kafka = new Kafka({ brokers: [servers.brokers], logLevel: logLevel.NOTHING });
  const topic = 'bench-backlog';
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
  await admin.disconnect();
  const producer = kafka.producer();
  const consumer = kafka.consumer({ groupId: topic });
  await Promise.all([producer.connect(), consumer.connect()]);
  await producer.send({ topic, acks: -1, messages: Array.from({ length: events }, (_, n) => ({ key: 'acme', value: String(n) })) });
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  let handled = 0;
  let started = 0;
  let finished: () => void = () => undefined;
  const done = new Promise<void>((resolve) => (finished = resolve));
  await consumer.run({
    eachMessage: async () => {
      started ||= performance.now();
      await work();
      if (++handled === events) finished();
    },
  });
  await done;
  const seconds = (performance.now() - started) / 1_000;
  await Promise.all([producer.disconnect(), consumer.disconnect()]);
  return { name: 'kafkajs eachMessage, handled only (reference)', events, seconds, eventsPerSecond: events / seconds, orderViolations: 0 };
}

function envelope(tenantId: TenantId, n: number): Envelope {
  return {
    eventId: newId('evt'),
    type: 'conversation.changed',
    version: 1,
    tenantId,
    occurredAt: new Date().toISOString(),
    orderingKey: `backlog-${n % keys}`,
    payload: { conversationId: newId('cnv'), status: 'closed', handler: 'none', reason: String(n) },
  };
}

function createOrderCheck(): { note(key: string, n: number): number; violations(): number } {
  const last = new Map<string, number>();
  let count = 0;
  let violations = 0;
  return {
    note(key, n) {
      if (n <= (last.get(key) ?? -1)) violations++;
      last.set(key, n);
      return ++count;
    },
    violations: () => violations,
  };
}
