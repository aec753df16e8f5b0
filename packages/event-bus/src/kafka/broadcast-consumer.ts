import type { EventType } from '@switchboard/contracts';
import type { Kafka } from 'kafkajs';
import type { ConsumeEvent } from '../consume-event.ts';
import type { BusLog } from '../port.ts';
import { topicName } from './create-topics.ts';
import { createGroupConsumer, type GroupConsumer } from './group-consumer.ts';
import type { KafkaOptions } from './kafka-options.ts';
import { readRecord } from './read-record.ts';

type Parts = {
  readonly kafka: Kafka;
  readonly options: KafkaOptions;
  readonly group: string;
  readonly types: readonly EventType[];
  readonly consume: ConsumeEvent;
  readonly signal: AbortSignal;
  readonly log: BusLog;
};

/** A group of its own for each process: everybody gets everything published from now on. */
export function createBroadcastConsumer({ kafka, options, group, types, consume, signal, log }: Parts): GroupConsumer {
  return createGroupConsumer({
    kafka,
    groupId: `${options.prefix ?? ''}${group}.${crypto.randomUUID()}`,
    topics: types.map((type) => topicName(type, options)),
    from: 'latest',
    commits: false,
    onAssigned: () => undefined,
    take(record) {
      const event = readRecord(group, record.message);
      record.finish();
      // The inbox is per group, and here the group is many processes: consume asks it for effects of `transaction` and `external` only.
      if (event !== undefined) void consume({ group, envelope: event.envelope, attempt: 1, since: Date.now(), signal });
    },
    log,
  });
}
