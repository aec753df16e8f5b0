import { AsyncResource } from 'node:async_hooks';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { isHubError } from '@switchboard/contracts';
import { runAsSystem, runAsTenant } from '@switchboard/tenant-context';
import { startTestDatabase, testRolePassword, testTenants, type TestDatabase } from '@switchboard/testing';
import fc from 'fast-check';
import { Client } from 'pg';
import { fixtureService } from '../test/fixture/fixture-service.ts';
import { PrismaClient } from '../test/fixture/generated/client.ts';
import { createDatabase } from './create-database.ts';
import { migrate } from './migrate.ts';
import type { Database } from './port.ts';
import { provision } from './provision.ts';

const [acme, globex] = testTenants;
let server: TestDatabase;
let db: Database<PrismaClient>;

const open = (connectionsMax: number): Database<PrismaClient> =>
  createDatabase({ url: server.url('switchboard_fixture'), schema: 'fixture', connectionsMax, createClient: (adapter) => new PrismaClient({ adapter }) });

beforeAll(async () => {
  server = await startTestDatabase();
  await provision({ adminUrl: server.adminUrl, services: [fixtureService], rolePassword: testRolePassword });
  await migrate({ adminUrl: server.adminUrl, service: fixtureService });
  db = open(4);
});
afterAll(async () => {
  await db.close();
  await server.drop();
});
beforeEach(() => asSuperuser('truncate fixture.notes, fixture.tags, fixture.strays'));

describe('a transaction', () => {
  it('shows a tenant its own rows and no other', async () => {
    await store(acme, 'a1');
    await store(globex, 'g1');
    expect(await list(acme)).toEqual(['a1']);
    expect(await list(globex)).toEqual(['g1']);
  });

  it('refuses to write a row of another tenant', async () => {
    const intrusion = runAsTenant(acme, () => db.transaction(() => db.sql.query('insert into notes (tenant_id, note_id, text) values ($1, $2, $3)', [globex, 'x', 'x'])));
    await expect(intrusion).rejects.toThrow(/row-level security/);
    await expect(runAsTenant(acme, () => db.transaction(() => db.prisma.note.create({ data: { tenantId: globex, noteId: 'x', text: 'x' } })))).rejects.toThrow(/row-level security/);
    expect(await list(globex)).toEqual([]);
  });

  it('throws outside every scope', async () => {
    await expect(db.transaction(async () => undefined)).rejects.toMatchObject({ code: 'tenant.context_missing' });
  });

  it('is what sql and prisma insist on', async () => {
    await runAsTenant(acme, async () => {
      await expect(db.sql.query('select 1')).rejects.toMatchObject({ code: 'internal' });
      expect(() => db.prisma).toThrow('Internal error');
    });
  });

  it('is one for sql and prisma: both see what the other wrote, and both go when it fails', async () => {
    const failed = runAsTenant(acme, () =>
      db.transaction(async () => {
        await db.sql.query('insert into notes (tenant_id, note_id, text) values ($1, $2, $3)', [acme, 'by-sql', '']);
        expect(await db.prisma.note.count()).toBe(1);
        await db.prisma.note.create({ data: { tenantId: acme, noteId: 'by-prisma', text: '' } });
        expect(await db.sql.query('select note_id from notes')).toHaveLength(2);
        throw new Error('no');
      }),
    );
    await expect(failed).rejects.toThrow('no');
    expect(await list(acme)).toEqual([]);
  });

  it('is joined by one inside it', async () => {
    const failed = runAsTenant(acme, () =>
      db.transaction(async () => {
        await db.transaction(() => insert('inner'));
        throw new Error('no');
      }),
    );
    await expect(failed).rejects.toThrow('no');
    expect(await list(acme)).toEqual([]);
  });

  it('makes a nested write of Prisma a savepoint: its failure takes back itself alone', async () => {
    await runAsTenant(acme, () =>
      db.transaction(async () => {
        await insert('before');
        const twice = [{ label: 'same' }, { label: 'same' }];
        await expect(db.prisma.note.create({ data: { tenantId: acme, noteId: 'nested', text: '', tags: { create: twice } } })).rejects.toMatchObject({ code: 'P2002' });
        await db.prisma.$transaction(async (inner) => {
          await inner.note.create({ data: { tenantId: acme, noteId: 'interactive', text: '', tags: { create: [{ label: 'one' }] } } });
        });
        await insert('after');
      }),
    );
    expect(await list(acme)).toEqual(['after', 'before', 'interactive']);
  });

  it('says so when a statement failed, its error was swallowed, and nothing was stored', async () => {
    const swallowed = runAsTenant(acme, () =>
      db.transaction(async () => {
        await insert('one');
        await insert('one').catch(() => undefined);
      }),
    );
    await expect(swallowed).rejects.toMatchObject({ code: 'internal', cause: { code: '23505' } });
    expect(await list(acme)).toEqual([]);
  });

  it('stays in its scope: another tenant or system inside it is refused', async () => {
    await runAsTenant(acme, () =>
      db.transaction(async () => {
        await expect(runAsTenant(globex, () => db.transaction(async () => undefined))).rejects.toMatchObject({ code: 'internal' });
        await expect(runAsSystem('test', () => db.sql.query('select 1'))).rejects.toMatchObject({ code: 'internal' });
        await expect(runAsTenant(acme, () => db.sql.query('select 1'))).resolves.toHaveLength(1);
      }),
    );
  });

  it('does not serve work that goes on after it ended', async () => {
    let late = (): Promise<unknown> => Promise.resolve();
    let prisma: PrismaClient | undefined;
    await runAsTenant(acme, () =>
      db.transaction(async () => {
        await insert('a1');
        prisma = db.prisma;
        late = AsyncResource.bind(() => db.sql.query('select note_id from notes'));
      }),
    );
    await expect(late()).rejects.toMatchObject({ code: 'internal' });
    await runAsTenant(globex, async () => {
      await expect(prisma?.note.findMany()).rejects.toThrow('Internal error');
    });
  });

  it('does not lend its Prisma client to another transaction, not even of the same tenant', async () => {
    const lent = Promise.withResolvers<PrismaClient>();
    const end = Promise.withResolvers<void>();
    const lender = runAsTenant(acme, () =>
      db.transaction(async () => {
        lent.resolve(db.prisma);
        await end.promise;
      }),
    );
    const prisma = await lent.promise;
    await runAsTenant(acme, () => db.transaction(() => expect(prisma.note.findMany()).rejects.toThrow('Internal error')));
    end.resolve();
    await lender;
  });

  it('leaves no tenant behind on its connection', async () => {
    const narrow = open(1);
    try {
      await runAsTenant(acme, () => narrow.transaction(() => narrow.sql.query('select 1')));
      const setting = `select current_setting('app.tenant_id', true) as tenant`;
      expect(await runAsSystem('test', () => narrow.transaction(() => narrow.sql.query(setting)))).toEqual([{ tenant: '' }]);
      const rows = await runAsTenant(globex, () => narrow.transaction(() => narrow.sql.query<{ tenant: string; role: string }>(`select current_setting('app.tenant_id') as tenant, current_user as role`)));
      expect(rows).toEqual([{ tenant: globex, role: 'switchboard_fixture' }]);
    } finally {
      await narrow.close();
    }
  });
});

describe('system scope', () => {
  it('sees the tables opened to it, of all tenants, and no other', async () => {
    await store(acme, 'a1');
    await store(globex, 'g1');
    await runAsSystem('test', () =>
      db.transaction(async () => {
        expect(await db.prisma.note.count()).toBe(2);
        await db.prisma.stray.create({ data: { strayId: 's1', body: {} } });
      }),
    );
    await expect(runAsSystem('test', () => db.transaction(() => db.sql.query('select * from tags')))).rejects.toThrow(/permission denied/);
  });

  it('alone reaches a platform table', async () => {
    await expect(runAsTenant(acme, () => db.transaction(() => db.sql.query('select * from strays')))).rejects.toThrow(/permission denied/);
  });
});

describe('tenants at the same time', () => {
  it('never mix, even in findUnique calls of one tick, which Prisma gathers into one query', async () => {
    await store(acme, 'same', 'of acme');
    await store(globex, 'same', 'of globex');
    const rounds = Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? acme : globex));
    const texts = await Promise.all(
      rounds.map((tenant) =>
        runAsTenant(tenant, () =>
          db.transaction(async () => {
            const key = { where: { tenantId_noteId: { tenantId: tenant, noteId: 'same' } } };
            const found = await Promise.all([db.prisma.note.findUnique(key), db.prisma.note.findUnique(key)]);
            return found.map((note) => note?.text);
          }),
        ),
      ),
    );
    expect(texts).toEqual(rounds.map((tenant) => [`of ${tenant}`, `of ${tenant}`]));
  });
});

describe('any interleaving of tenants, scopes and failures', () => {
  const step = fc.record({ tenant: fc.constantFrom(...testTenants), noteId: fc.constantFrom('1', '2', '3'), act: fc.constantFrom('write', 'fail', 'swallow', 'delete', 'prisma', 'system') });

  it('shows no tenant a row of another, and keeps what was committed alone', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        await asSuperuser('truncate fixture.notes, fixture.tags');
        const seen = await Promise.all(steps.map(({ tenant, noteId, act }) => run(tenant, noteId, act)));
        for (const [index, rows] of seen.entries()) for (const row of rows) expect(row).toEqual({ tenant: steps[index]?.tenant, text: steps[index]?.tenant });
      }),
      { numRuns: 30 },
    );
  });

  async function run(tenant: (typeof testTenants)[number], noteId: string, act: string): Promise<{ tenant: string; text: string }[]> {
    const upsert = `insert into notes (tenant_id, note_id, text) values ($1, $2, $1) on conflict (tenant_id, note_id) do update set text = excluded.text`;
    const look = () => db.sql.query<{ tenant: string; text: string }>('select tenant_id as tenant, text from notes');
    if (act === 'system') return await runAsSystem('test', () => db.transaction(() => db.sql.query('select note_id from notes'))).then(() => []);
    return await runAsTenant(tenant, () =>
      db.transaction(async () => {
        if (act === 'prisma') await db.prisma.note.upsert({ where: { tenantId_noteId: { tenantId: tenant, noteId } }, create: { tenantId: tenant, noteId, text: tenant }, update: { text: tenant } });
        else if (act === 'delete') await db.sql.query('delete from notes');
        else await db.sql.query(upsert, [tenant, noteId]);
        const rows = await look();
        if (act === 'swallow') await db.sql.query('select 1 / 0').catch(() => undefined);
        if (act === 'fail') throw new Error('as planned');
        return rows;
      }),
    ).catch((error: unknown) => {
      if (act === 'fail' || act === 'swallow') return [];
      // Two of them wait for each other's rows: the database picks one to give up, and says to try again.
      if (isHubError(error) && error.code === 'storage.unavailable') return [];
      // Prisma's upsert looks first and inserts then: another may have been faster.
      if ((error as { code?: string }).code === 'P2002') return [];
      throw error;
    });
  }
});

describe('a database that does not answer', () => {
  it('is storage.unavailable when the pool is exhausted, and works again after', async () => {
    const narrow = open(1);
    try {
      let release = (): void => undefined;
      const held = runAsTenant(acme, () => narrow.transaction(() => new Promise<void>((resolve) => (release = resolve))));
      await expect(runAsTenant(globex, () => narrow.transaction(async () => undefined))).rejects.toMatchObject({ code: 'storage.unavailable', retry: 'later' });
      release();
      await held;
      await runAsTenant(globex, () => narrow.transaction(() => narrow.sql.query('select 1')));
    } finally {
      await narrow.close();
    }
  }, 15_000);

  it('is storage.unavailable when the connection is lost in the middle, through sql and through prisma, and the next one works', async () => {
    for (const use of [() => db.sql.query('select 1'), () => db.prisma.note.count()]) {
      const lost = runAsTenant(acme, () =>
        db.transaction(async () => {
          const [row] = await db.sql.query<{ pid: number }>('select pg_backend_pid() as pid');
          await asSuperuser(`select pg_terminate_backend(${row?.pid})`);
          await use();
        }),
      );
      const error: unknown = await lost.catch((caught: unknown) => caught);
      expect(isHubError(error) && error.code).toBe('storage.unavailable');
      await store(acme, crypto.randomUUID());
    }
  });

  it('says what is wrong without the password', async () => {
    const away = createDatabase({ url: 'postgresql://switchboard_fixture:secret-word@127.0.0.1:1/none', schema: 'fixture', connectionsMax: 1, createClient: () => undefined });
    const wrong = await away.unhealthy();
    expect(wrong).toContain('ECONNREFUSED');
    expect(wrong).not.toContain('secret-word');
    await expect(runAsTenant(acme, () => away.transaction(async () => undefined))).rejects.toMatchObject({ code: 'storage.unavailable' });
    expect(await db.unhealthy()).toBeUndefined();
    await away.close();
  });
});

async function insert(noteId: string, text = ''): Promise<void> {
  await db.sql.query(`insert into notes (tenant_id, note_id, text) values (current_setting('app.tenant_id'), $1, $2)`, [noteId, text]);
}

function store(tenant: (typeof testTenants)[number], noteId: string, text = ''): Promise<void> {
  return runAsTenant(tenant, () => db.transaction(() => insert(noteId, text)));
}

async function list(tenant: (typeof testTenants)[number]): Promise<string[]> {
  const notes = await runAsTenant(tenant, () => db.transaction(() => db.prisma.note.findMany({ orderBy: { noteId: 'asc' } })));
  return notes.map((note) => note.noteId);
}

async function asSuperuser(statement: string): Promise<void> {
  const client = new Client({ connectionString: server.adminUrl });
  await client.connect();
  await client.query(statement);
  await client.end();
}
