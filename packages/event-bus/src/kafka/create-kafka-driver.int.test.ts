import { describe } from '@jest/globals';
import { hasTestKafka, startTestDatabase, testRolePassword, testTenants } from '@switchboard/testing';
import { startKafka } from '@switchboard/testing/kafka';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeBus, installTestBus, testService, type BusUnderTest } from '../testing/index.ts';

/** A broker of its own: the suite kills it in the middle, which the other files' broker must not suffer. */
async function makeBus(): Promise<BusUnderTest> {
  const directory = await mkdtemp(join(tmpdir(), 'switchboard-bus-kafka-'));
  const [database, kafka] = await Promise.all([startTestDatabase(), startKafka({ directory })]);
  const { busRole, runtimeRole } = await installTestBus({ adminUrl: database.adminUrl, driver: 'kafka', password: testRolePassword });
  return {
    place: { driver: 'kafka', service: testService, busUrl: database.url(busRole), databaseUrl: database.url(runtimeRole), kafka: { brokers: [kafka.brokers] } },
    adminUrl: database.adminUrl,
    restartBroker: async () => {
      await kafka.kill();
      await kafka.start();
    },
    close: async () => {
      await kafka.kill();
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
      await database.drop();
    },
  };
}

(hasTestKafka() ? describe : describe.skip)('kafka driver', () => {
  describeBus('kafka', makeBus, testTenants);
});
