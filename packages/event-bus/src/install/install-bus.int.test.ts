import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestDatabase, testRolePassword, testTenants, type TestDatabase } from '@switchboard/testing';
import { Client } from 'pg';
import { installTestBus, testService } from '../testing/bus-under-test.ts';
import { effectTakenState } from './bus-functions-sql.ts';
import { installBus } from './install-bus.ts';

let database: TestDatabase;
let admin: Client;
let runtime: Client;

beforeAll(async () => {
  database = await startTestDatabase();
  await installTestBus({ adminUrl: database.adminUrl, driver: 'embedded', password: testRolePassword });
  await installBus({ adminUrl: database.adminUrl, driver: 'kafka', services: [{ schema: testService }], rolePassword: testRolePassword });
  admin = new Client({ connectionString: database.adminUrl });
  runtime = new Client({ connectionString: database.url(`switchboard_${testService}`) });
  await admin.connect();
  await runtime.connect();
}, 60_000);

afterAll(async () => {
  await admin.end();
  await runtime.end();
  await database.drop();
});

describe('the installed bus', () => {
  it('can be installed again over itself', async () => {
    for (const driver of ['embedded', 'kafka'] as const) await installBus({ adminUrl: database.adminUrl, driver, services: [{ schema: testService }], rolePassword: testRolePassword });
  });

  it('lets a service call two functions and touch no table', async () => {
    const { rows } = await admin.query<{ table: string }>(`
      select n.nspname || '.' || c.relname as table from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('bus', '${testService}_bus') and c.relkind = 'r'`);
    expect(rows.map(({ table }) => table)).toEqual(expect.arrayContaining(['bus.inbox', 'bus.pending_events', 'bus.dead_letters', `${testService}_bus.outbox`]));
    for (const { table } of rows) await expect(runtime.query(`select from ${table}`)).rejects.toThrow('permission denied');
  });

  it('has row-level security on every table of its own, forced', async () => {
    const { rows } = await admin.query(`
      select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('bus', '${testService}_bus') and c.relkind = 'r' and not (c.relrowsecurity and c.relforcerowsecurity)`);
    expect(rows).toEqual([]);
  });

  it('records an effect for the tenant of the transaction alone, once', async () => {
    const record = async (tenant: string): Promise<string> => {
      await runtime.query(`begin; set local app.tenant_id = '${tenant}'`);
      const outcome = await runtime.query(`select bus.record_effect('group', 'evt_0000000001')`).then(() => 'recorded', ({ code }: { code: string }) => code);
      await runtime.query('commit');
      return outcome;
    };
    const [acme, globex] = testTenants;
    expect([await record(acme), await record(acme), await record(globex)]).toEqual(['recorded', effectTakenState, 'recorded']);
    await expect(runtime.query(`select bus.record_effect('group', 'evt_0000000001')`)).rejects.toThrow('needs a tenant');
  });

  it('settles a pending event for its own tenant only', async () => {
    const [acme, globex] = testTenants;
    const { rows } = await admin.query<{ id: string }>(`insert into bus.pending_events (tenant_id, consumer_group, ordering_key, envelope) values ($1, 'group', 'k', '{}') returning id`, [acme]);
    const id = rows[0]?.id;
    await runtime.query(`begin; set local app.tenant_id = '${globex}'`);
    await runtime.query('select bus.remove_pending($1)', [id]);
    await expect(runtime.query(`select bus.record_effect('group', 'evt_0000000002', $1)`, [id])).rejects.toMatchObject({ code: effectTakenState });
    await runtime.query('rollback');
    expect((await admin.query('select from bus.pending_events')).rowCount).toBe(1);
    await runtime.query(`begin; set local app.tenant_id = '${acme}'`);
    await runtime.query('select bus.remove_pending($1)', [id]);
    await runtime.query('commit');
    expect((await admin.query('select from bus.pending_events')).rowCount).toBe(0);
  });
});
