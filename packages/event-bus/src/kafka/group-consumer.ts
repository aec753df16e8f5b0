import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import type { BusLog } from '../port.ts';
import { retry } from './create-client.ts';
import { createOffsetTracker, type OffsetTracker } from './offset-tracker.ts';

/** A record that was taken up and waits for `finish`. */
export type TakenRecord = {
  readonly message: KafkaMessage;
  /** Whether its partition went to another process in the meantime: work that has not started must not start, it is delivered there. */
  isRevoked(): boolean;
  /** Its work is done: the commit may pass it. */
  finish(): void;
};

export type GroupConsumerOptions = {
  readonly kafka: Kafka;
  readonly groupId: string;
  readonly topics: readonly string[];
  /** Where a group that has committed nothing begins. */
  readonly from: 'earliest' | 'latest';
  /** False: never commits, so that the group leaves nothing behind and begins at its `from` each time. */
  readonly commits: boolean;
  /** Called for each record, in order per partition; must return at once. */
  readonly take: (record: TakenRecord) => void;
  /** New partitions came; called before any of their records is taken. */
  readonly onAssigned: () => void;
  readonly log: BusLog;
};

export interface GroupConsumer {
  /** Resolves when the group is joined and positions are known; goes on trying while Kafka is away. */
  start(): Promise<void>;
  /** Takes nothing more; heartbeats go on, partitions stay. */
  quiesce(): void;
  /** Commits what is finished and leaves the group. */
  stop(): Promise<void>;
  /** Whether it is a member of its group now. */
  readonly joined: boolean;
}

type Partition = { readonly topic: string; readonly partition: number; readonly tracker: OffsetTracker; committed: number | undefined; revoked: boolean; resume: (() => void) | undefined };

/** At most half a second of finished work is delivered again after a kill. */
const commitEveryMs = 500;
/** Taken and not yet committable records of one partition; far ahead of what runs, so that one tenant's flood does not hide the others behind it. */
const heldRecordsMax = 5_000;
/** Of all partitions together. */
const heldBytesMax = 64 * 1024 * 1024;
/** The wait for new records is cut at this, which bounds how late a pause ends, a rebalance is noticed and a stop is done. */
const fetchWaitMsMax = 1_000;
const restartMs = 500;

/**
 * Reads a group's partitions and commits by itself: kafkajs commits nothing (`autoCommit: false`), and its position moves with what was
 * taken. Handlers run outside of kafkajs' loop, so heartbeats go on however slow they are.
 */
export function createGroupConsumer({ kafka, groupId, topics, from, commits, take, onAssigned, log }: GroupConsumerOptions): GroupConsumer {
  const partitions = new Map<string, Partition>();
  let consumer: Consumer | undefined;
  let commitWith: EachBatchPayload['commitOffsetsIfNecessary'] | undefined;
  let memberId: string | undefined;
  let heldBytes = 0;
  let quiet = false;
  let stopped = false;
  let committing: NodeJS.Timeout | undefined;
  let restarting: NodeJS.Timeout | undefined;
  let starting: Promise<void> | undefined;
  let ready: () => void = () => undefined;
  const positioned = new Promise<void>((resolve) => (ready = resolve));

  async function run(): Promise<void> {
    const next = kafka.consumer({
      groupId,
      // The partitions of a killed process move after this; less is not allowed by the broker. A missed one costs a rebalance, nothing more.
      sessionTimeout: 6_000,
      heartbeatInterval: 1_000,
      rebalanceTimeout: 30_000,
      maxWaitTimeInMs: fetchWaitMsMax,
      allowAutoTopicCreation: false,
      // Starting anew is done here, where a stop in the middle is noticed.
      retry: { ...retry, restartOnFailure: async () => false },
    });
    consumer = next;
    next.on(next.events.GROUP_JOIN, ({ payload }) => assign(payload.memberId, payload.memberAssignment));
    next.on(next.events.REBALANCING, () => void commit());
    // `latest` is a place only after the first fetch; from then on whatever is published is read.
    next.on(next.events.FETCH, () => ready());
    next.on(next.events.CRASH, ({ payload }) => {
      revokeAll();
      if (stopped) return;
      log.warn({ err: payload.error, groupId }, 'the Kafka consumer stopped and starts anew');
      restart();
    });
    await next.connect();
    await next.subscribe({ topics: [...topics], fromBeginning: from === 'earliest' });
    // eachBatch only takes up and returns, so as many as there are partitions may run: none waits in kafkajs' queue through a rebalance.
    await next.run({ autoCommit: false, eachBatchAutoResolve: false, partitionsConsumedConcurrently: 64, eachBatch });
  }

  function begin(): Promise<void> {
    starting = run().catch((error: unknown) => {
      log.warn({ err: error, groupId }, 'the Kafka consumer could not start; trying again');
      restart();
    });
    return starting;
  }

  function restart(): void {
    clearTimeout(restarting);
    if (stopped) return;
    restarting = setTimeout(() => {
      void leave().then(() => (stopped ? undefined : begin()));
    }, restartMs);
  }

  async function leave(): Promise<void> {
    await consumer?.disconnect().catch((error: unknown) => log.info({ err: error, groupId }, 'the Kafka consumer did not leave in order'));
  }

  /** With the same member id the partitions that stay were ours all the time: what runs goes on, what comes again is skipped. */
  function assign(member: string, assignment: Readonly<Record<string, readonly number[]>>): void {
    const owned = new Set(Object.entries(assignment).flatMap(([topic, numbers]) => numbers.map((number) => keyOf(topic, number))));
    for (const [key, partition] of partitions) if (member !== memberId || !owned.has(key)) revoke(key, partition);
    const gained = member !== memberId || [...owned].some((key) => !partitions.has(key));
    memberId = member;
    for (const [topic, numbers] of Object.entries(assignment)) {
      for (const number of numbers) {
        const key = keyOf(topic, number);
        if (!partitions.has(key)) partitions.set(key, { topic, partition: number, tracker: createOffsetTracker(), committed: undefined, revoked: false, resume: undefined });
      }
    }
    if (gained) onAssigned();
    if (quiet) pauseAll();
    if (from === 'earliest') ready();
  }

  function pauseAll(): void {
    if (memberId === undefined) return;
    const byTopic = new Map<string, number[]>();
    for (const { topic, partition } of partitions.values()) byTopic.set(topic, [...(byTopic.get(topic) ?? []), partition]);
    try {
      consumer?.pause([...byTopic].map(([topic, list]) => ({ topic, partitions: list })));
    } catch (error) {
      // Between two memberships kafkajs has nothing to pause; what comes is not taken while this is quiet.
      log.info({ err: error, groupId }, 'the Kafka consumer has nothing to pause now');
    }
  }

  function revoke(key: string, partition: Partition): void {
    partition.revoked = true;
    heldBytes -= partition.tracker.held.bytes;
    partitions.delete(key);
    // kafkajs remembers pauses over rebalances.
    partition.resume?.();
  }

  function revokeAll(): void {
    memberId = undefined;
    commitWith = undefined;
    for (const [key, partition] of partitions) revoke(key, partition);
  }

  // eslint-disable-next-line typescript/require-await -- kafkajs wants a promise; nothing here waits, which is the point.
  async function eachBatch({ batch, resolveOffset, pause, commitOffsetsIfNecessary }: EachBatchPayload): Promise<void> {
    const partition = partitions.get(keyOf(batch.topic, batch.partition));
    // Not resolved, so kafkajs reads it again: whoever owns it then.
    if (partition === undefined || quiet) return;
    commitWith = commitOffsetsIfNecessary;
    const next = partition.tracker.next ?? 0;
    const fresh = batch.messages.filter(({ offset }) => Number(offset) >= next);
    for (const message of fresh) hold(partition, message);
    for (const message of fresh) take(taken(partition, message));
    resolveOffset(batch.lastOffset());
    if (partition.resume === undefined && isFull(partition)) partition.resume = pause();
  }

  function hold(partition: Partition, message: KafkaMessage): void {
    const bytes = message.value?.length ?? 0;
    partition.tracker.add(Number(message.offset), bytes);
    heldBytes += bytes;
  }

  function taken(partition: Partition, message: KafkaMessage): TakenRecord {
    return {
      message,
      isRevoked: () => partition.revoked,
      finish() {
        if (partition.revoked) return;
        const before = partition.tracker.held.bytes;
        partition.tracker.finish(Number(message.offset));
        heldBytes -= before - partition.tracker.held.bytes;
        if (partition.resume !== undefined && !isFull(partition, 0.5)) {
          partition.resume();
          partition.resume = undefined;
        }
      },
    };
  }

  /** Of the bytes each partition may hold its share, so that a full one does not stop the others. */
  function isFull({ tracker }: Partition, part = 1): boolean {
    const { records, bytes } = tracker.held;
    return records > heldRecordsMax * part || (heldBytes > heldBytesMax * part && bytes > (heldBytesMax * part) / partitions.size);
  }

  async function commit(): Promise<void> {
    if (!commits || commitWith === undefined) return;
    const due: { partition: Partition; offset: number }[] = [];
    for (const partition of partitions.values()) {
      const offset = partition.tracker.committable();
      if (offset !== undefined && offset !== partition.committed) due.push({ partition, offset });
    }
    if (due.length === 0) return;
    const byTopic = new Map<string, { partition: number; offset: string }[]>();
    for (const { partition, offset } of due) byTopic.set(partition.topic, [...(byTopic.get(partition.topic) ?? []), { partition: partition.partition, offset: String(offset) }]);
    try {
      await commitWith({ topics: [...byTopic].map(([topic, list]) => ({ topic, partitions: list })) });
      for (const { partition, offset } of due) partition.committed = offset;
    } catch (error) {
      // A rebalance or a lost connection: the next turn commits, or the new owner reads these again.
      log.info({ err: error, groupId }, 'offsets could not be committed now');
    }
  }

  return {
    async start() {
      if (stopped) return;
      committing = setInterval(() => void commit(), commitEveryMs);
      await begin();
      await positioned;
    },
    quiesce() {
      quiet = true;
      pauseAll();
    },
    async stop() {
      stopped = true;
      clearInterval(committing);
      clearTimeout(restarting);
      await commit();
      // One that is just starting would otherwise start after it was told to leave.
      await starting;
      await leave();
      ready();
    },
    get joined() {
      return memberId !== undefined;
    },
  };
}

function keyOf(topic: string, partition: number): string {
  return `${topic} ${partition}`;
}
