// A process that does nothing with Kafka, and says what that costs: `node idle-client.ts <kind> <JSON of what it needs>` → milliseconds of CPU a second.
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { onEvent } from '@switchboard/event-bus';
import { Kafka, logLevel } from 'kafkajs';
import { openBus, type BusAddress } from './open-bus.ts';

const settleMs = 5_000;
const measureMs = Number(process.env['BENCH_IDLE_MS'] ?? 15_000);
const [kind, json] = process.argv.slice(2);
// Given by bus.ts.
const address = JSON.parse(json ?? '') as BusAddress;

if (kind === 'unpatched') restoreNegativeTimer();
const stop = kind === 'bus' ? await startBus() : kind === 'nothing' ? async () => undefined : await startKafkajs();
await sleep(settleMs);
const before = process.cpuUsage();
const started = performance.now();
await sleep(measureMs);
const { user, system } = process.cpuUsage(before);
console.log((user + system) / (performance.now() - started));
await stop();

/** A producer and a consumer, as a service without our bus has. */
async function startKafkajs(): Promise<() => Promise<void>> {
  const kafka = new Kafka({ brokers: [address.brokers], logLevel: logLevel.NOTHING });
  const producer = kafka.producer();
  const consumer = kafka.consumer({ groupId: `idle-${kind}` });
  await Promise.all([producer.connect(), consumer.connect()]);
  await consumer.subscribe({ topics: ['message.received.v1'] });
  await consumer.run({ autoCommit: false, eachBatch: async () => undefined });
  await producer.send({ topic: 'message.received.v1', acks: -1, messages: [{ key: 'x', value: 'x' }] });
  return async () => {
    await Promise.all([producer.disconnect(), consumer.disconnect()]);
  };
}

async function startBus(): Promise<() => Promise<void>> {
  const open = openBus('kafka', address);
  open.bus.subscribe(onEvent({ type: 'message.received', group: 'bench-idle', effect: 'transaction', handle: async () => undefined }));
  await open.bus.start();
  return () => open.stop();
}

/** kafkajs 2.2.4 as it is published: the patch in patches/ undone, to see what it is worth. */
function restoreNegativeTimer(): void {
  const load = createRequire(import.meta.url);
  // kafkajs has no types for its inside; this is the one method that the patch changes.
  const RequestQueue = load('kafkajs/src/network/requestQueue') as {
    prototype: { throttledUntil: number; throttleCheckTimeoutId: NodeJS.Timeout | null; pending: unknown[]; checkPendingRequests(): void; scheduleCheckPendingRequests(): void };
  };
  RequestQueue.prototype.scheduleCheckPendingRequests = function scheduleCheckPendingRequests() {
    let scheduleAt = this.throttledUntil - Date.now();
    if (this.throttleCheckTimeoutId !== null) return;
    if (this.pending.length > 0) scheduleAt = scheduleAt > 0 ? scheduleAt : 10;
    this.throttleCheckTimeoutId = setTimeout(() => {
      this.throttleCheckTimeoutId = null;
      this.checkPendingRequests();
    }, scheduleAt);
  };
}
