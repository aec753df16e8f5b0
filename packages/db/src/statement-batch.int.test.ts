import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { runAsTenant } from '@switchboard/tenant-context';
import { openSilentNetwork, startTestDatabase, testRolePassword, testTenants, type TestDatabase } from '@switchboard/testing';
import { Client } from 'pg';
import { fixtureService } from '../test/fixture/fixture-service.ts';
import { PrismaClient } from '../test/fixture/generated/client.ts';
import { createDatabase } from './create-database.ts';
import { migrate } from './migrate.ts';
import type { Database } from './port.ts';
import { provision } from './provision.ts';

const [acme, globex] = testTenants;
const insert = `insert into notes (tenant_id, note_id, text) values (current_setting('app.tenant_id'), $1, '')`;
let server: TestDatabase;
let admin: Client;
/** On one connection, so that each transaction finds what the one before left there. */
let db: Database<PrismaClient>;

beforeAll(async () => {
  server = await startTestDatabase();
  await provision({ adminUrl: server.adminUrl, services: [fixtureService], rolePassword: testRolePassword });
  await migrate({ adminUrl: server.adminUrl, service: fixtureService });
  db = createDatabase({ url: server.url('switchboard_fixture'), schema: 'fixture', connectionsMax: 1, createClient: (adapter) => new PrismaClient({ adapter }) });
  admin = new Client({ connectionString: server.adminUrl });
  await admin.connect();
});
afterAll(async () => {
  await admin.end();
  await db.close();
  await server.drop();
});
beforeEach(() => admin.query('truncate fixture.notes, fixture.tags'));

const asAcme = <T>(fn: () => Promise<T>): Promise<T> => runAsTenant(acme, () => db.transaction(fn));
const notes = () => asAcme(async () => (await db.sql.query<{ note_id: string }>('select note_id from notes order by note_id')).map((row) => row.note_id));

describe('an enqueued statement', () => {
  it('is seen by the next query, by Prisma too, in the order given', async () => {
    await asAcme(async () => {
      db.sql.enqueue(insert, ['1']);
      db.sql.enqueue(`update notes set text = 'changed' where note_id = $1`, ['1']);
      expect(await db.sql.query('select text from notes')).toEqual([{ text: 'changed' }]);
      db.sql.enqueue(insert, ['2']);
      expect(await db.prisma.note.count()).toBe(2);
    });
  });

  it('runs with the commit when no query follows', async () => {
    await asAcme(async () => {
      db.sql.enqueue(insert, ['1']);
      db.sql.enqueue(insert, ['2']);
    });
    expect(await notes()).toEqual(['1', '2']);
  });

  it('is in the scope of its transaction', async () => {
    await expect(runAsTenant(globex, () => db.transaction(async () => db.sql.enqueue('insert into notes (tenant_id, note_id, text) values ($1, $2, $3)', [acme, '1', ''])))).rejects.toThrow(/row-level security/);
    expect(await notes()).toEqual([]);
  });

  it('fails the commit with its own error, and nothing of the transaction is stored', async () => {
    const failed = asAcme(async () => {
      await db.sql.query(insert, ['1']);
      db.sql.enqueue(insert, ['2']);
      db.sql.enqueue(insert, ['1']);
      db.sql.enqueue(insert, ['3']);
    });
    await expect(failed).rejects.toMatchObject({ code: '23505' });
    expect(await notes()).toEqual([]);
  });

  it('is forgotten with a transaction that fails', async () => {
    const failed = asAcme(async () => {
      db.sql.enqueue(insert, ['1']);
      throw new Error('no');
    });
    await expect(failed).rejects.toThrow('no');
    expect(await notes()).toEqual([]);
  });

  it('lets nothing after it run, least of all the commit, when a value cannot be sent', async () => {
    const unsendable = { toPostgres: () => { throw new Error('cannot be sent'); } };
    const failed = asAcme(async () => {
      db.sql.enqueue(insert, ['1']);
      db.sql.enqueue(insert, [unsendable]);
    });
    await expect(failed).rejects.toThrow('cannot be sent');
    expect(await notes()).toEqual([]);
  });

  it('that failed when it was new runs on the same connection later', async () => {
    const divide = (by: number) => asAcme(async () => db.sql.enqueue('select 1 / $1::int', [by]));
    await expect(divide(0)).rejects.toMatchObject({ code: '22012' });
    await expect(divide(1)).resolves.toBeUndefined();
    await expect(divide(0)).rejects.toMatchObject({ code: '22012' });
    await expect(divide(1)).resolves.toBeUndefined();
  });
});

describe('a call after the commit', () => {
  it('finds the rows stored, and is not made after a rollback', async () => {
    const calls: string[] = [];
    await asAcme(async () => {
      db.afterCommit(() => calls.push('committed'));
      db.sql.enqueue(insert, ['1']);
      expect(calls).toEqual([]);
    });
    expect(calls).toEqual(['committed']);
    const failed = asAcme(async () => {
      db.afterCommit(() => calls.push('rolled back'));
      db.sql.enqueue(insert, ['1']);
    });
    await expect(failed).rejects.toMatchObject({ code: '23505' });
    expect(calls).toEqual(['committed']);
  });
});

describe('a transaction that asks for nothing', () => {
  it('leaves its connection as it found it', async () => {
    await asAcme(async () => undefined);
    await expect(asAcme(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    const [row] = await runAsTenant(globex, () => db.transaction(() => db.sql.query<{ tenant: string }>(`select current_setting('app.tenant_id', true) as tenant`)));
    expect(row?.tenant).toBe(globex);
  });
});

describe('a statement that gets no answer', () => {
  it('fails in bounded time as unavailable storage, and its connection is given up: the next transaction has another', async () => {
    const network = await openSilentNetwork(server.url('switchboard_fixture'));
    const slow = createDatabase({ url: network.url, schema: 'fixture', connectionsMax: 1, answerMsMax: 700, createClient: (adapter) => new PrismaClient({ adapter }) });
    const ask = () => runAsTenant(acme, () => slow.transaction(() => slow.sql.query('select 1')));
    try {
      await ask();
      network.swallow = true;
      const since = Date.now();
      await expect(ask()).rejects.toMatchObject({ code: 'storage.unavailable' });
      // Once, not once more for the rollback.
      expect(Date.now() - since).toBeLessThan(1_300);
      network.swallow = false;
      await expect(ask()).resolves.toHaveLength(1);
    } finally {
      await slow.close();
      network.close();
    }
  }, 20_000);

  it('leaves no clock behind when it gets one', async () => {
    const clocks = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
    await asAcme(() => db.sql.query('select 1'));
    const before = clocks();
    for (let n = 0; n < 20; n++) await asAcme(() => db.sql.query('select 1'));
    expect(clocks()).toBeLessThan(before + 10);
  });
});
