import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { runAsTenant } from '@switchboard/tenant-context';
import { startTestDatabase, testRolePassword, testTenants, type TestDatabase } from '@switchboard/testing';
import { Client } from 'pg';
import { fixtureService } from '../test/fixture/fixture-service.ts';
import { createDatabase } from './create-database.ts';
import { eraseTenantRows } from './erase-tenant-rows.ts';
import { migrate } from './migrate.ts';
import type { Database } from './port.ts';
import { provision } from './provision.ts';

const [acme, globex] = testTenants;
let server: TestDatabase;
let db: Database<unknown>;
let admin: Client;

beforeAll(async () => {
  server = await startTestDatabase();
  await provision({ adminUrl: server.adminUrl, services: [fixtureService], rolePassword: testRolePassword });
  await migrate({ adminUrl: server.adminUrl, service: fixtureService });
  db = createDatabase({ url: server.url('switchboard_fixture'), schema: 'fixture', connectionsMax: 2, createClient: () => undefined });
  admin = new Client({ connectionString: server.adminUrl });
  await admin.connect();
});
afterAll(async () => {
  await db.close();
  await admin.end();
  await server.drop();
});
beforeEach(async () => {
  await admin.query('truncate fixture.notes, fixture.tags');
  for (const tenant of [acme, globex]) {
    await admin.query(`insert into fixture.notes (tenant_id, note_id, text) select $1, 'n' || n, '' from generate_series(1, 5001) n`, [tenant]);
    await admin.query(`insert into fixture.tags (tenant_id, note_id, label) select $1, 'n' || n, 'x' from generate_series(1, 3000) n`, [tenant]);
  }
});

const counts = async () => (await admin.query<{ tenant: string; notes: number; tags: number }>('select tenant_id as tenant, count(*)::int as notes, (select count(*)::int from fixture.tags t where t.tenant_id = n.tenant_id) as tags from fixture.notes n group by 1 order by 1')).rows;

describe('erasing a tenant\'s rows', () => {
  it('deletes all of one tenant and none of another, in transactions of bounded size, and counts each row where it was', async () => {
    const noted: Record<string, number>[] = [];
    await runAsTenant(acme, () => eraseTenantRows(db, (count) => void noted.push({ ...count })));
    expect(await counts()).toEqual([{ tenant: globex, notes: 5001, tags: 3000 }]);
    // Children first: what a foreign key would have taken along is counted as well.
    expect(noted).toEqual([{ tags: 2000 }, { tags: 1000 }, { notes: 2000 }, { notes: 2000 }, { notes: 1001 }]);
  });

  it('goes on where it broke off: a transaction that fails deletes nothing', async () => {
    let transactions = 0;
    const breaking = runAsTenant(acme, () =>
      eraseTenantRows(db, () => {
        if (++transactions === 4) throw new Error('the process is gone');
      }),
    );
    await expect(breaking).rejects.toThrow('the process is gone');
    expect(await counts()).toEqual([{ tenant: acme, notes: 3001, tags: 0 }, { tenant: globex, notes: 5001, tags: 3000 }]);
    let rest = 0;
    await runAsTenant(acme, () => eraseTenantRows(db, ({ notes = 0 }) => void (rest += notes)));
    expect(rest).toBe(3001);
    expect(await counts()).toEqual([{ tenant: globex, notes: 5001, tags: 3000 }]);
  });

  it('refuses to call a tenant erased while a table that the service cannot delete from holds rows of it', async () => {
    await admin.query('revoke delete on fixture.notes from switchboard_fixture');
    await expect(runAsTenant(acme, () => eraseTenantRows(db))).rejects.toMatchObject({ code: 'internal', detail: { table: 'notes' } });
    await admin.query('grant delete on fixture.notes to switchboard_fixture');
    await runAsTenant(acme, () => eraseTenantRows(db));
    expect(await counts()).toEqual([{ tenant: globex, notes: 5001, tags: 3000 }]);
  });
});
