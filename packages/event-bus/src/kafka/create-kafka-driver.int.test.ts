import { afterEach, beforeEach, describe } from '@jest/globals';
import { eventCatalogue, topicOf, type EventType } from '@switchboard/contracts';
import { hasTestKafka, startTestDatabase, testRolePassword, testTenants } from '@switchboard/testing';
import { startKafka } from '@switchboard/testing/kafka';
import { Kafka, logLevel } from 'kafkajs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { countLaggingPartitions, describeBus, installTestBus, testService, type BusUnderTest } from '../testing/index.ts';

let brokers: string | undefined;
let test = 0;

/** A broker of its own: the suite kills it in the middle, which the other files' broker must not suffer. */
async function makeBus(): Promise<BusUnderTest> {
  const directory = await mkdtemp(join(tmpdir(), 'switchboard-bus-kafka-'));
  const [database, kafka] = await Promise.all([startTestDatabase(), startKafka({ directory, brief: true })]);
  brokers = kafka.brokers;
  const { busRole, runtimeRole } = await installTestBus({ adminUrl: database.adminUrl, driver: 'kafka', password: testRolePassword });
  return {
    // Topics of its own for each test: a new group begins with what the topics keep, which would be the earlier tests' events.
    get place() {
      return { driver: 'kafka', service: testService, busUrl: database.url(busRole), databaseUrl: database.url(runtimeRole), kafka: { brokers: [kafka.brokers], prefix: `t${test}.` } } as const;
    },
    adminUrl: database.adminUrl,
    restartBroker: async () => {
      await kafka.kill();
      await kafka.start();
    },
    worksSideBySide: true,
    countUncommitted: (group) => countLaggingPartitions([kafka.brokers], `t${test}.`, group),
    close: async () => {
      await kafka.kill();
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
      await database.drop();
    },
  };
}

/** What the suite says and hears: their topics are as the driver makes them. */
const spoken: ReadonlySet<EventType> = new Set<EventType>(['tenant.changed', 'conversation.changed', 'webhook.received.whatsapp']);

(hasTestKafka() ? describe : describe.skip)('kafka driver', () => {
  // The other topics are there already, with a partition each: to make and delete two hundred for every test is all the broker would do.
  beforeEach(async () => {
    const admin = new Kafka({ brokers: [brokers ?? ''], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    // The cast is safe: the catalogue's keys are its event types.
    const unspoken = (Object.keys(eventCatalogue) as EventType[]).filter((type) => !spoken.has(type));
    await admin.createTopics({ waitForLeaders: false, topics: unspoken.map((type) => ({ topic: `t${test}.${topicOf(type)}`, numPartitions: 1, replicationFactor: 1 })) });
    await admin.disconnect();
  }, 30_000);
  afterEach(async () => {
    const admin = new Kafka({ brokers: [brokers ?? ''], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const topics = await admin.listTopics();
    await admin.deleteTopics({ topics: topics.filter((topic) => topic.startsWith(`t${test}.`)) });
    await admin.disconnect();
    test++;
  }, 30_000);
  describeBus('kafka', makeBus, testTenants);
});
