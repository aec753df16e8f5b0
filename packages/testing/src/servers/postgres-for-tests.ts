import { join } from 'node:path';
import { startPostgres } from '@switchboard/db/embedded';

const adminUrlVariable = 'SWITCHBOARD_TEST_POSTGRES_URL';

/** Without fsync: what a test stores need not survive a power cut. */
export async function startPostgresForTests(directory: string): Promise<void> {
  const { adminUrl } = await startPostgres({ directory: join(directory, 'postgres'), connectionsMax: 400, durable: false });
  process.env[adminUrlVariable] = adminUrl;
}

export async function stopPostgresForTests(directory: string): Promise<void> {
  const server = await startPostgres({ directory: join(directory, 'postgres'), durable: false });
  await server.stop();
}

/** Superuser's URL of the run's server, database `postgres`. */
export function testServerUrl(): string {
  const url = process.env[adminUrlVariable];
  if (url === undefined) throw new Error('No test Postgres runs. Name the file x.int.test.ts or x.e2e.test.ts, so that Jest starts it.');
  return url;
}
