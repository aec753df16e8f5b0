import { eventCatalogue, topicOf, type EventType } from '@switchboard/contracts';
import type { Kafka } from 'kafkajs';
import { envelopeBytesMax } from '../encode-envelopes.ts';
import type { KafkaOptions } from './kafka-options.ts';

/** Largest batch of records a topic takes: one envelope of the largest size, with room for its headers and for the spaces that Postgres writes between JSON's values. */
const recordBytesMax = envelopeBytesMax + 2 * 1024 * 1024;

/** Makes the topics of the catalogue that are not there yet. Safe to call by all services at once, and again. */
export async function createTopics(kafka: Kafka, options: KafkaOptions): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const existing = new Set(await admin.listTopics());
    // The cast is safe: the catalogue's keys are its event types.
    const missing = (Object.keys(eventCatalogue) as EventType[]).filter((type) => !existing.has(topicName(type, options)));
    if (missing.length === 0) return;
    const replicationFactor = options.replicationFactor ?? 1;
    try {
      await admin.createTopics({
        waitForLeaders: true,
        topics: missing.map((type) => ({
          topic: topicName(type, options),
          numPartitions: eventCatalogue[type].partitions,
          replicationFactor,
          configEntries: [
            { name: 'retention.ms', value: String(eventCatalogue[type].retentionDays * 86_400_000) },
            { name: 'max.message.bytes', value: String(recordBytesMax) },
            // One replica may be away without stopping the bus; two may not, because a lone copy is not durable.
            { name: 'min.insync.replicas', value: String(Math.max(1, replicationFactor - 1)) },
          ],
        })),
      });
    } catch (error) {
      // Another service was faster with some of them.
      const now = new Set(await admin.listTopics());
      if (!missing.every((type) => now.has(topicName(type, options)))) throw error;
    }
  } finally {
    await admin.disconnect();
  }
}

export function topicName(type: EventType, { prefix = '' }: KafkaOptions): string {
  return `${prefix}${topicOf(type)}`;
}
