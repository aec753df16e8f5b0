import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { provision } from '@switchboard/db';
import { startPostgres } from '@switchboard/db/embedded';
import { installBus, type EventBusOptions } from '@switchboard/event-bus';
import { startKafka } from '@switchboard/testing/kafka';
import { Client } from 'pg';
import { benchPassword, openBus, type BusAddress, type OpenBus } from './open-bus.ts';

export type BenchServers = BusAddress & {
  createBus(driver: 'embedded' | 'kafka', options?: Partial<EventBusOptions>): OpenBus;
  stop(): Promise<void>;
};

/** A durable Postgres and a broker in a temporary folder, with the bus installed for both drivers. */
export async function startBenchServers(): Promise<BenchServers> {
  const directory = await mkdtemp(join(tmpdir(), 'switchboard-bench-bus-'));
  const [postgres, kafka] = await Promise.all([startPostgres({ directory: join(directory, 'postgres') }), startKafka({ directory: join(directory, 'kafka') })]);
  const services = [{ service: 'bench', schema: 'bench', prismaDirectory: new URL('file:///none/') }];
  const prepare = async (driver: 'embedded' | 'kafka'): Promise<string> => {
    const adminUrl = await createEmptyDatabase(postgres.adminUrl, `bench_${driver}`);
    await provision({ adminUrl, services, rolePassword: benchPassword });
    await installBus({ adminUrl, driver, services, rolePassword: benchPassword });
    return adminUrl;
  };
  const address: BusAddress = { brokers: kafka.brokers, adminUrls: { embedded: await prepare('embedded'), kafka: await prepare('kafka') } };
  return {
    ...address,
    createBus: (driver, options) => openBus(driver, address, options),
    async stop() {
      await kafka.kill();
      await postgres.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function createEmptyDatabase(adminUrl: string, database: string): Promise<string> {
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  await client.query(`create database ${database}`);
  await client.end();
  const url = new URL(adminUrl);
  url.pathname = `/${database}`;
  return url.href;
}
