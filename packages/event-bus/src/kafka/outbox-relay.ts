import { newId, type EventType } from '@switchboard/contracts';
import type { IHeaders, Kafka, Message, Producer } from 'kafkajs';
import type { Pool } from 'pg';
import type { BusSchema } from '../bus-schema.ts';
import { relayGroup } from '../dead-letters.ts';
import { openLeaderConnection } from '../lanes/leader-connection.ts';
import { notifyLeader } from '../lanes/notify-leader.ts';
import type { BusLog, FailureReason } from '../port.ts';
import { topicName } from './create-topics.ts';
import type { KafkaOptions } from './kafka-options.ts';
import { partitionOf } from './partition.ts';
import { refusalOf } from './refusal-of.ts';

/** Header that carries the ordering key: the partitioner and the consumers need it before they parse the envelope. */
export const orderingKeyHeader = 'ordering-key';

export type OutboxRelayOptions = {
  readonly kafka: Kafka;
  readonly options: KafkaOptions;
  /** Makes the topics that are missing. */
  readonly makeTopics: () => Promise<void>;
  readonly pool: Pool;
  readonly busUrl: string;
  readonly schema: BusSchema;
  readonly log: BusLog;
};

export interface OutboxRelay {
  /** Resolves when the database is reached; Kafka may come later, rows wait. */
  start(): Promise<void>;
  stop(): Promise<void>;
  countPending(): Promise<number>;
  unhealthy(): string | undefined;
  /** Whether this process sends what is published: `wake` then does what a notification would. */
  readonly leads: boolean;
  /** Sends what this process has published without a notification, or has the process do it that leads now. */
  wake(): void;
}

type Row = { id: string; type: EventType; tenant_id: string; ordering_key: string; traceparent: string | null; envelope: string };

const batchRowsMax = 500;
/** One batch of records to a partition must stay below the topic's limit, however they fall. */
const batchBytesMax = 2 * 1024 * 1024;
/** Should a notification ever be missed. */
const safetyPollMs = 1_000;
const retryMs = 500;

/**
 * Hands outbox rows to Kafka in the order of their ids: one process of the service at a time, one batch at a time, and a batch that fails is
 * tried again before any later one. Rows go after Kafka has confirmed them; a crash in between sends them twice, which the inbox absorbs.
 * Two events of one key that must keep their order were written one after the other (a row lock, or one transaction), so the lower id was
 * visible first: no cursor, whatever is there is taken in order. A process that leads wakes its relay itself when it has committed; who does not
 * lead notifies the one that does.
 */
export function createOutboxRelay({ kafka, options, makeTopics, pool, busUrl, schema, log }: OutboxRelayOptions): OutboxRelay {
  const producer = kafka.producer({ allowAutoTopicCreation: false, createPartitioner: () => partitionRecord });
  let leading = false;
  let connected = false;
  let pumping: Promise<void> | undefined;
  let again = false;
  let stopping = false;
  let poll: NodeJS.Timeout | undefined;
  let retry: NodeJS.Timeout | undefined;

  const channel = `${schema.name}_outbox`;
  const connection = openLeaderConnection({
    busUrl,
    name: channel,
    channels: [channel],
    onNotification: () => wake(),
    onLead: () => {
      leading = true;
      wake();
    },
    onLost: () => {
      leading = false;
    },
    log,
  });

  function wake(): void {
    again = true;
    if (pumping !== undefined || retry !== undefined || !mayGoOn()) return;
    pumping = pump()
      .catch((error: unknown) => {
        // Begin anew: the cluster may be another one than before, without our topics.
        connected = false;
        log.warn({ err: error, bus: schema.name }, 'published events wait in the outbox: Kafka or the database does not take them');
        retry = setTimeout(() => {
          retry = undefined;
          wake();
        }, retryMs);
      })
      .finally(() => {
        pumping = undefined;
        if (again) wake();
      });
  }

  async function pump(): Promise<void> {
    if (!connected) {
      await makeTopics();
      await producer.connect();
      connected = true;
    }
    let sent: string[] = [];
    while (mayGoOn()) {
      // Whatever was announced until now is seen by this reading.
      again = false;
      const rows = await nextRows(pool, schema, sent);
      sent = [];
      if (rows.length === 0) return;
      await sendOrBury(rows);
      sent = rows.map(({ id }) => id);
    }
    if (sent.length > 0) await pool.query(`delete from ${schema.name}.outbox where id = any($1::bigint[])`, [sent]);
  }

  /**
   * What Kafka refuses for good must not stop what comes after it, of all tenants: the rows go one by one, and the refused one becomes a dead
   * letter. Rows that a part of the batch took already are sent twice, which the inbox absorbs.
   */
  async function sendOrBury(rows: readonly Row[]): Promise<void> {
    try {
      await send(producer, options, rows);
    } catch (error) {
      const reason = refusalOf(error);
      if (reason === undefined) throw error;
      if (rows.length > 1) {
        for (const row of rows) await sendOrBury([row]);
      } else for (const row of rows) await bury(row, reason);
    }
  }

  async function bury({ id, tenant_id: tenantId, type }: Row, reason: FailureReason): Promise<void> {
    log.error({ outboxId: id, tenantId, type, reason }, 'Kafka refuses a published event for good; it is a dead letter now');
    await pool.query(
      `with gone as (delete from ${schema.name}.outbox where id = $1 returning *)
       insert into ${schema.name}.dead_letters (tenant_id, id, consumer_group, ordering_key, envelope, error_code, error_message, attempts)
       select tenant_id, $2, $3, envelope ->> 'orderingKey', envelope, $4, $5, 1 from gone`,
      [id, newId('dlq'), relayGroup, reason.code, reason.message],
    );
  }

  /** Asked through a function: the lead may be lost, or the stop come, during any await. */
  function mayGoOn(): boolean {
    return leading && !stopping;
  }

  return {
    async start() {
      await connection.open();
      poll = setInterval(wake, safetyPollMs);
    },
    async stop() {
      stopping = true;
      clearInterval(poll);
      clearTimeout(retry);
      await pumping;
      // The next process takes over the moment this connection ends.
      await connection.close();
      await producer.disconnect();
    },
    async countPending() {
      const { rows } = await pool.query<{ count: string }>(`select count(*) from (select from ${schema.name}.outbox limit 100000) as counted`);
      return Number(rows[0]?.count ?? 0);
    },
    get leads() {
      return mayGoOn();
    },
    wake() {
      if (mayGoOn()) wake();
      else notifyLeader(pool, channel, log);
    },
    unhealthy: () => (connection.connected ? undefined : 'the outbox relay has no database connection'),
  };
}

/**
 * Removes the rows that Kafka has confirmed and reads the next ones, in one round trip. The removal does not wait for the disk: one that a crash
 * of Postgres undoes is sent again.
 */
async function nextRows(pool: Pool, { name }: BusSchema, sent: readonly string[]): Promise<Row[]> {
  const { rows } = await pool.query<Row>({
    name: 'next_rows',
    text: `with gone as (delete from ${name}.outbox where id = any($1::bigint[]) and (select set_config('synchronous_commit', 'off', true)) = 'off')
     select id, envelope ->> 'type' as type, tenant_id, envelope ->> 'orderingKey' as ordering_key, envelope ->> 'traceparent' as traceparent, envelope::text as envelope
     from ${name}.outbox where id <> all($1::bigint[]) order by id limit ${batchRowsMax}`,
    values: [sent],
  });
  let bytes = 0;
  const within = rows.findIndex(({ envelope }) => (bytes += envelope.length) > batchBytesMax);
  return within > 0 ? rows.slice(0, within) : within === 0 ? rows.slice(0, 1) : rows;
}

async function send(producer: Producer, options: KafkaOptions, rows: readonly Row[]): Promise<void> {
  const messages = new Map<string, Message[]>();
  for (const row of rows) {
    const topic = topicName(row.type, options);
    const headers: IHeaders = { [orderingKeyHeader]: row.ordering_key };
    if (row.traceparent !== null) headers['traceparent'] = row.traceparent;
    const ofTopic = messages.get(topic) ?? [];
    ofTopic.push({ key: row.tenant_id, value: row.envelope, headers });
    messages.set(topic, ofTopic);
  }
  await producer.sendBatch({ acks: -1, topicMessages: [...messages].map(([topic, list]) => ({ topic, messages: list })) });
}

function partitionRecord({ message, partitionMetadata }: { message: Message; partitionMetadata: readonly unknown[] }): number {
  return partitionOf(String(message.key), String(message.headers?.[orderingKeyHeader]), partitionMetadata.length);
}
