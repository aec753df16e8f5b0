import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestDatabase, testRolePassword, type TestDatabase } from '@switchboard/testing';
import { Pool } from 'pg';
import { busSchemaOf } from './bus-schema.ts';
import { retentionTask } from './retention.ts';
import { installTestBus, testService } from './testing/index.ts';

let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await startTestDatabase();
  const { busRole } = await installTestBus({ adminUrl: database.adminUrl, driver: 'embedded', password: testRolePassword });
  pool = new Pool({ connectionString: database.url(busRole), max: 1 });
}, 60_000);
afterAll(async () => {
  await pool.end();
  await database.drop();
});

describe('retention', () => {
  it('forgets inbox records that nothing can ask for any more, in more than one statement where they are many, and keeps the others', async () => {
    await pool.query(`
      insert into bus.inbox (tenant_id, consumer_group, event_id, handled_at)
      select 'acme', 'group', 'evt_' || n, now() - case when n <= 120000 then interval '9 days' else interval '7 days' end from generate_series(1, 120010) as n`);
    const asked: string[] = [];
    const query = pool.query.bind(pool);
    // The cast is safe: the task asks with a text alone.
    const counting = Object.assign(Object.create(pool) as Pool, { query: (text: string) => (asked.push(text), query(text)) });
    await retentionTask(counting, busSchemaOf('embedded', testService), 'embedded').run();
    expect(asked.filter((text) => text.includes('bus.inbox')).length).toBeGreaterThan(2);
    expect((await pool.query<{ count: string }>('select count(*) from bus.inbox')).rows[0]?.count).toBe('10');
  }, 60_000);
});
