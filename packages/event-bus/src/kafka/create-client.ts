import { Kafka, logLevel } from 'kafkajs';
import type { BusLog } from '../port.ts';
import type { KafkaOptions } from './kafka-options.ts';

/** The service's client; its chatter goes to the service's log. */
export function createClient(service: string, { brokers }: KafkaOptions, log: BusLog): Kafka {
  return new Kafka({
    clientId: `switchboard-${service}`,
    brokers: [...brokers],
    connectionTimeout: 3_000,
    requestTimeout: 15_000,
    // Short waits: a broker that restarts is back in seconds. When these tries are used up, the relay and the consumers start over by themselves.
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 6 },
    logLevel: logLevel.WARN,
    // Nothing is an error to us: what kafkajs calls one it repairs itself, or reports by throwing. Single answers of a broker are the least.
    logCreator: () => (entry) => {
      const say = entry.namespace === 'Connection' && entry.log.message.startsWith('Response ') ? log.info : log.warn;
      say.call(log, { kafka: entry.namespace, error: entry.log.error, groupId: entry.log.groupId, broker: entry.log.broker }, entry.log.message);
    },
  });
}
