import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { startPostgres, type EmbeddedPostgres } from './index.ts';

let directory: string;
let running: EmbeddedPostgres | undefined;

const fresh = (): string => realpathSync(mkdtempSync(join(tmpdir(), 'embedded-')));

// Making a database takes a second: these share one, each starts it anew.
describe('the embedded Postgres', () => {
  beforeAll(() => {
    directory = fresh();
  });
  afterEach(async () => {
    await running?.stop();
    running = undefined;
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  it('starts on an empty folder with checksums and a password that only its owner reads, stops, and starts again with what was stored', async () => {
    running = await startPostgres({ directory });
    expect(running.adopted).toBe(false);
    expect(await query(running, 'show data_checksums')).toEqual([{ data_checksums: 'on' }]);
    expect(statSync(join(directory, 'password')).mode & 0o777).toBe(0o600);
    await query(running, 'create table kept (id int)');
    await running.stop();
    running = await startPostgres({ directory });
    expect(await query(running, 'select from kept')).toEqual([]);
  }, 60_000);

  it('wants its password', async () => {
    running = await startPostgres({ directory });
    const url = new URL(running.adminUrl);
    url.password = 'another';
    await expect(new Client({ connectionString: url.href }).connect()).rejects.toMatchObject({ code: '28P01' });
  }, 60_000);

  it('outlives a starter that is killed, and is adopted', async () => {
    const script = `const { startPostgres } = await import(${JSON.stringify(new URL('./index.ts', import.meta.url).href)}); const { port } = await startPostgres({ directory: ${JSON.stringify(directory)} }); console.log(port); setInterval(() => {}, 1000);`;
    const starter = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [port] = await once(starter.stdout, 'data');
    starter.kill('SIGKILL');
    await once(starter, 'exit');
    running = await startPostgres({ directory });
    expect(running.adopted).toBe(true);
    expect(running.port).toBe(Number(port));
    expect(await query(running, 'select 1 as one')).toEqual([{ one: 1 }]);
  }, 60_000);

  it('recovers when the server itself was killed', async () => {
    running = await startPostgres({ directory });
    await query(running, 'create table if not exists kept (id int); insert into kept values (1)');
    process.kill(running.pid, 'SIGKILL');
    running = await startPostgres({ directory });
    expect(running.adopted).toBe(false);
    expect(await query(running, 'select id from kept')).toEqual([{ id: 1 }]);
  }, 60_000);

  it('is not misled by the process id of a server that is long gone', async () => {
    running = await startPostgres({ directory });
    await running.stop();
    // This very process has the number now.
    writeFileSync(join(directory, 'data/postmaster.pid'), `${process.pid}\n${directory}/data\n1\n5432\n\n127.0.0.1\n\nready\n`);
    running = await startPostgres({ directory });
    expect(running.adopted).toBe(false);
  }, 60_000);

  it('moves to the port that is asked for', async () => {
    const first = await startPostgres({ directory });
    running = await startPostgres({ directory, port: await freePort() });
    expect(running.port).not.toBe(first.port);
    expect(await query(running, 'select 1 as one')).toEqual([{ one: 1 }]);
  }, 60_000);

});

describe('the embedded Postgres, when something is in the way,', () => {
  beforeEach(() => {
    directory = fresh();
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('says in one sentence that the port is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    await expect(startPostgres({ directory, port })).rejects.toThrow(`Port ${port} on 127.0.0.1 is in use, so Postgres cannot listen there. Stop what uses it, or choose another port.`);
    server.close();
  }, 60_000);

  it('says in one sentence that the database is of another major version, and leaves it alone', async () => {
    mkdirSync(join(directory, 'data'));
    writeFileSync(join(directory, 'data/PG_VERSION'), '15\n');
    await expect(startPostgres({ directory })).rejects.toThrow(/is of Postgres 15, and this is Postgres 18\. Dump it/);
    expect(readFileSync(join(directory, 'data/PG_VERSION'), 'utf8')).toBe('15\n');
  });

  it('does not touch a folder that is no database', async () => {
    mkdirSync(join(directory, 'data'));
    writeFileSync(join(directory, 'data/letter.txt'), 'dear');
    await expect(startPostgres({ directory })).rejects.toThrow(/exists and is not a Postgres database/);
    expect(readFileSync(join(directory, 'data/letter.txt'), 'utf8')).toBe('dear');
  });

  it('says in one sentence that a folder cannot be made', async () => {
    writeFileSync(join(directory, 'file'), '');
    await expect(startPostgres({ directory: join(directory, 'file/below') })).rejects.toThrow(/cannot be made \(ENOTDIR\)\. Give permission, or choose another folder\./);
  });
});

async function query(server: EmbeddedPostgres, statement: string): Promise<unknown[]> {
  const client = new Client({ connectionString: server.adminUrl });
  await client.connect();
  try {
    return (await client.query<object>(statement)).rows ?? [];
  } finally {
    await client.end();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
