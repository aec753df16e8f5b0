import { mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { guardTestServers } from '../servers/guard-test-servers.ts';
import { findKafkaForTests } from '../servers/kafka-for-tests.ts';
import { startPostgresForTests } from '../servers/postgres-for-tests.ts';
import { startRedisForTests } from '../servers/redis-for-tests.ts';
import { compileCacheVariable, testDirectoryVariable } from '../servers/test-directory.ts';

/**
 * Starts the servers that all test files of a run share, and says by environment variables where they are: one Postgres, one Redis. Kafka takes
 * seconds, so the first file that asks for it starts it (`testKafka`). Jest calls it by its default export.
 */
export default async function globalSetup(): Promise<void> {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'switchboard-test-')));
  process.env[testDirectoryVariable] = directory;
  guardTestServers(directory);
  // Many processes load the same code: compiled once a run.
  process.env[compileCacheVariable] = join(directory, 'compile-cache');
  await Promise.all([startPostgresForTests(directory), startRedisForTests(directory), findKafkaForTests()]);
}
