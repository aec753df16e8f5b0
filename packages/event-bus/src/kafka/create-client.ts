import { Kafka, type LogEntry, logLevel } from 'kafkajs';
import type { BusLog } from '../port.ts';
import type { KafkaOptions } from './kafka-options.ts';

/** Short waits: a broker that restarts is back in seconds. When these tries are used up, the relay and the consumers start over by themselves. */
export const retry = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 6 } as const;

/** The service's client; its chatter goes to the service's log. */
export function createClient(service: string, { brokers }: KafkaOptions, log: BusLog): Kafka {
  return new Kafka({
    clientId: `switchboard-${service}`,
    brokers: [...brokers],
    connectionTimeout: 3_000,
    requestTimeout: 15_000,
    retry,
    logLevel: logLevel.WARN,
    logCreator: () => quietLog(log),
  });
}

/** While a broker is away kafkajs says so ten times a second. */
const sayAgainMs = 30_000;

/** Nothing is an error to us: what kafkajs calls one it repairs itself, or reports by throwing. Each thing is said once in a while. */
function quietLog(log: BusLog): (entry: LogEntry) => void {
  const saidAt = new Map<string, number>();
  return ({ namespace, log: { message, error, groupId, broker } }) => {
    const now = Date.now();
    if (now - (saidAt.get(message) ?? 0) < sayAgainMs) return;
    // Messages carry addresses and ports, so they are not a fixed set.
    if (saidAt.size > 1_000) saidAt.clear();
    saidAt.set(message, now);
    const fields = { kafka: namespace, error, groupId, broker };
    // A broker's "not yet" while it elects or loads.
    if (namespace === 'Connection' && message.startsWith('Response ')) log.info(fields, message);
    else log.warn(fields, message);
  };
}
