import { newId, type TenantId } from '@switchboard/contracts';
import { onEvent, type EventBus } from '@switchboard/event-bus';
import { runAsTenant } from '@switchboard/tenant-context';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel, type EachBatchPayload, type EachMessagePayload } from 'kafkajs';
import type { BenchServers } from './bench-servers.ts';

/** From the call that publishes to the handler's first line, in milliseconds. */
export type Hops = { readonly name: string; readonly p50: number; readonly p99: number; readonly events: number };

const warmUpEvents = 100;
/** About 100 events a second: a hop, not a queue. */
const paceMs = 10;

/** A hop through a driver: commit to Postgres, relay or wake-up, handler with its inbox. */
export async function measureBusHops(servers: BenchServers, driver: 'kafka' | 'embedded', tenant: TenantId, events: number, round: number): Promise<Hops> {
  const open = servers.createBus(driver);
  const times = new Map<string, number>();
  const hops: number[] = [];
  open.bus.subscribe(
    onEvent({
      type: 'conversation.changed',
      group: `bench-hops-${round}`,
      effect: 'transaction',
      handle: async ({ payload }) => {
        // A new group reads earlier rounds too.
        if (times.has(payload.reason)) hops.push(performance.now() - (times.get(payload.reason) ?? 0));
      },
    }),
  );
  await open.bus.start();
  await paced(events, hops, (n) => {
    const name = `${round}-${n}`;
    times.set(name, performance.now());
    return publish(open.bus, tenant, name, n);
  });
  await open.stop();
  return summary(`switchboard ${driver}: outbox, inbox, tenant`, hops);
}

/** The same hop with kafkajs alone, no database: as most services use it, and as it should be used. */
export async function measureKafkajsHops(servers: BenchServers, style: 'eachMessage' | 'eachBatch', events: number, round: number): Promise<Hops> {
  const kafka = new Kafka({ brokers: [servers.brokers], logLevel: logLevel.NOTHING });
  const topic = `bench-hops-${style}-${round}`;
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 3 }], waitForLeaders: true });
  await admin.disconnect();
  const producer = kafka.producer();
  const consumer = kafka.consumer({ groupId: topic });
  await Promise.all([producer.connect(), consumer.connect()]);
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  const times = new Map<string, number>();
  const hops: number[] = [];
  const note = (value: Buffer | null): void => void hops.push(performance.now() - (times.get(String(value)) ?? 0));
  await consumer.run(
    style === 'eachMessage'
      ? { eachMessage: async ({ message }: EachMessagePayload) => note(message.value) }
      : { autoCommit: false, eachBatch: async ({ batch }: EachBatchPayload) => batch.messages.forEach(({ value }) => note(value)) },
  );
  await paced(events, hops, async (n) => {
    times.set(String(n), performance.now());
    await producer.send({ topic, acks: -1, messages: [{ key: 'acme', value: String(n) }] });
  });
  await Promise.all([producer.disconnect(), consumer.disconnect()]);
  return summary(style === 'eachMessage' ? 'kafkajs eachMessage, autocommit (reference)' : 'kafkajs eachBatch, no commit (floor)', hops);
}

function publish(bus: EventBus, tenant: TenantId, name: string, key: number): Promise<unknown> {
  return runAsTenant(tenant, () => bus.publish('conversation.changed', { conversationId: newId('cnv'), status: 'open', handler: 'bot', reason: name }, { orderingKey: `key-${key}` }));
}

async function paced(events: number, hops: unknown[], act: (n: number) => Promise<unknown>): Promise<void> {
  const acts: Promise<unknown>[] = [];
  for (let n = 0; n < warmUpEvents + events; n++) {
    acts.push(act(n));
    await sleep(paceMs);
  }
  await Promise.all(acts);
  while (hops.length < warmUpEvents + events) await sleep(20);
  hops.splice(0, warmUpEvents);
}

function summary(name: string, hops: readonly number[]): Hops {
  const sorted = hops.toSorted((a, b) => a - b);
  return { name, p50: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN, p99: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN, events: sorted.length };
}
