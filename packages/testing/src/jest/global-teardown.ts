import { rmSync } from 'node:fs';
import { stopKafkaForTests } from '../kafka/index.ts';
import { stopPostgresForTests } from '../servers/postgres-for-tests.ts';
import { stopTestServers } from '../servers/guard-test-servers.ts';
import { testDirectory } from '../servers/test-directory.ts';

/** Ends what `global-setup.ts` and the test files started. Jest calls it by its default export. */
export default async function globalTeardown(): Promise<void> {
  const directory = testDirectory();
  await stopPostgresForTests(directory);
  await stopKafkaForTests(directory);
  await stopTestServers(directory);
  rmSync(directory, { recursive: true, force: true });
}
