import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestDatabase, testRolePassword, type TestDatabase } from '@switchboard/testing';
import { Client, Pool } from 'pg';
import { busSchemaOf } from '../bus-schema.ts';
import { installTestBus } from '../testing/bus-under-test.ts';
import { eventually } from '../testing/suite-tools.ts';
import { createClock } from './create-clock.ts';

const schema = busSchemaOf('embedded', 'bustest');
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
let database: TestDatabase;

beforeAll(async () => {
  database = await startTestDatabase();
  await installTestBus({ adminUrl: database.adminUrl, driver: 'embedded', password: testRolePassword });
}, 60_000);
afterAll(() => database.drop());

describe('the clock', () => {
  it('runs a tick in one of the processes that share it, and keeps a tick that nobody was there for', async () => {
    const runs: string[] = [];
    const pools = [1, 2].map(() => new Pool({ connectionString: database.url('switchboard_bus'), max: 4 }).on('error', () => undefined).on('connect', (client) => client.on('error', () => undefined)));
    const clocks = pools.map((pool) => createClock(pool, schema, log));
    const tasksOf = (name: string) => [{ name: 'sync', cron: '0 0 1 1 *', run: async () => void runs.push(name) }];
    await Promise.all(clocks.map((clock, index) => clock.add(clock, 'bustest', tasksOf(`process ${index}`))));
    // What the crontab does at the minute: one job for the tick. Waiting for a minute would prove the same.
    const client = new Client({ connectionString: database.url('switchboard_bus') });
    await client.connect();
    for (let tick = 0; tick < 3; tick++) {
      await client.query(`select ${schema.worker}.add_job('bustest:sync', job_key := 'bustest:sync')`);
      await eventually(() => runs.length, (length) => length === tick + 1);
    }
    await Promise.all(clocks.map((clock) => clock.remove(clock)));
    await client.query(`select ${schema.worker}.add_job('bustest:sync', job_key := 'bustest:sync')`);
    expect(runs).toHaveLength(3);
    const [first] = clocks;
    await first?.add(clocks, 'bustest', tasksOf('again'));
    await eventually(() => runs.at(-1), (last) => last === 'again');
    await first?.remove(clocks);
    await client.end();
    await Promise.all(pools.map((pool) => pool.end()));
  }, 60_000);
});
