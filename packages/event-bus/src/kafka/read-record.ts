import type { KafkaMessage } from 'kafkajs';
import { orderingKeyHeader } from './outbox-relay.ts';
import type { LaneEvent } from './parked-lanes.ts';

/** The event in a record, as far as its key and headers say it; undefined for a record that no relay of ours wrote. */
export function readRecord(group: string, { key, value, headers }: KafkaMessage): LaneEvent | undefined {
  const orderingKey = headers?.[orderingKeyHeader];
  if (key === null || value === null || orderingKey === undefined) return undefined;
  return {
    tenantId: key.toString(),
    group,
    orderingKey: String(orderingKey),
    // Parsed when it runs: thousands may wait.
    get envelope(): unknown {
      return parseJson(value.toString());
    },
  };
}

/** Text that is no JSON stays text; the consumer makes a dead letter of it. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
