import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startTestDatabase, testRolePassword, type TestDatabase } from '@switchboard/testing';
import { Client } from 'pg';
import { fixtureService, neighbourService } from '../test/fixture/fixture-service.ts';
import { diffSchema } from './diff-schema.ts';
import { migrate } from './migrate.ts';
import type { ServiceSchema } from './port.ts';
import { provision } from './provision.ts';

let server: TestDatabase;
let folder: string;
let service: ServiceSchema;

beforeAll(async () => {
  server = await startTestDatabase();
  await provision({ adminUrl: server.adminUrl, services: [fixtureService, neighbourService], rolePassword: testRolePassword });
});
afterAll(() => server.drop());
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'migrate-'));
  service = { ...fixtureService, prismaDirectory: pathToFileURL(folder) };
  await query('drop schema fixture cascade; create schema fixture authorization switchboard_fixture_owner; grant usage on schema fixture to switchboard_fixture');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('migrate', () => {
  it('applies what is new, once, in the order of the names', async () => {
    write('2_second', 'alter table notes add column text text');
    write('1_first', 'create table notes (tenant_id text not null)');
    expect(await migrate({ adminUrl: server.adminUrl, service })).toEqual(['1_first', '2_second']);
    expect(await migrate({ adminUrl: server.adminUrl, service })).toEqual([]);
    write('3_third', 'drop table notes');
    expect(await migrate({ adminUrl: server.adminUrl, service })).toEqual(['3_third']);
  });

  it('applies a migration whole or not at all, says what Postgres said, and goes on when it is mended', async () => {
    write('1_first', 'create table notes (tenant_id text not null); select 1 / 0;');
    await expect(migrate({ adminUrl: server.adminUrl, service })).rejects.toThrow(/migrations of fixture .*division by zero/);
    expect(await query(`select from pg_tables where schemaname = 'fixture' and tablename = 'notes'`)).toHaveLength(0);
    write('1_first', 'create table notes (tenant_id text not null)');
    expect(await migrate({ adminUrl: server.adminUrl, service })).toEqual(['1_first']);
  });

  it('refuses a migration that was changed after it was applied', async () => {
    write('1_first', 'create table notes (tenant_id text not null)');
    await migrate({ adminUrl: server.adminUrl, service });
    write('1_first', 'create table notes (tenant_id text not null, text text)');
    await expect(migrate({ adminUrl: server.adminUrl, service })).rejects.toThrow(/1_first changed after it was applied/);
  });

  it('refuses a database that a newer version has migrated', async () => {
    write('1_first', 'create table notes (tenant_id text not null)');
    write('2_second', 'alter table notes add column text text');
    await migrate({ adminUrl: server.adminUrl, service });
    rmSync(join(folder, 'migrations', '2_second'), { recursive: true });
    await expect(migrate({ adminUrl: server.adminUrl, service })).rejects.toThrow(/knows 2_second, and this version of Switchboard does not/);
  });

  it('may be started by several processes at once', async () => {
    write('1_first', 'select pg_sleep(0.1); create table notes (tenant_id text not null)');
    const names = await Promise.all([1, 2, 3].map(() => migrate({ adminUrl: server.adminUrl, service })));
    expect(names.flat()).toEqual(['1_first']);
  });

  it('does not let a service\'s migration touch its neighbour', async () => {
    write('1_first', 'create table neighbour.notes (tenant_id text not null)');
    await expect(migrate({ adminUrl: server.adminUrl, service })).rejects.toThrow(/permission denied for schema neighbour/);
  });

  it('refuses to protect a table whose first column is no tenant', async () => {
    write('1_first', `create table notes (note_id text not null); select switchboard.protect_tenant_table('notes')`);
    await expect(migrate({ adminUrl: server.adminUrl, service })).rejects.toThrow(/The first column of fixture.notes must be "tenant_id text not null"/);
  });
});

describe('the drift between schema.prisma and the migrated database', () => {
  it('is seen: a column that a migration forgot', async () => {
    write('1_first', 'create table notes (tenant_id text primary key)');
    writeFileSync(join(folder, 'schema.prisma'), 'datasource db {\n provider = "postgresql"\n}\nmodel Note {\n tenantId String @id @map("tenant_id")\n text String\n @@map("notes")\n}\n');
    await migrate({ adminUrl: server.adminUrl, service });
    expect(await diffSchema(server.adminUrl, service)).toContain('ADD COLUMN     "text" TEXT NOT NULL');
  });
});

describe('provision', () => {
  it('may be repeated, also by several processes at once', async () => {
    const options = { adminUrl: server.adminUrl, services: [fixtureService, neighbourService], rolePassword: testRolePassword };
    await Promise.all([1, 2, 3, 4].map(() => provision(options)));
  });

  it('lets no role into another database of the server that was not given to it', async () => {
    const elsewhere = await startTestDatabase();
    try {
      await provision({ adminUrl: elsewhere.adminUrl, services: [], rolePassword: testRolePassword });
      const client = new Client({ connectionString: elsewhere.url('switchboard_fixture') });
      await expect(client.connect()).rejects.toMatchObject({ code: '42501' });
    } finally {
      await elsewhere.drop();
    }
  });
});

function write(name: string, sql: string): void {
  mkdirSync(join(folder, 'migrations', name), { recursive: true });
  writeFileSync(join(folder, 'migrations', name, 'migration.sql'), sql);
}

async function query(statement: string): Promise<unknown[]> {
  const client = new Client({ connectionString: server.adminUrl });
  await client.connect();
  try {
    const { rows } = await client.query<object>(statement);
    return rows ?? [];
  } finally {
    await client.end();
  }
}
