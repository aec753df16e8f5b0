import { afterEach, describe } from '@jest/globals';
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

(hasTestKafka() ? describe : describe.skip)('kafka driver', () => {
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
