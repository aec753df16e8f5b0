import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, realpathSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Client } from 'pg';
import { loadPostgresBinaries, postgresMajor, type PostgresBinaries } from './postgres-binaries.ts';
import { postgresUser, type PostgresUser } from './postgres-user.ts';
import { clearStalePidFile, findPostmaster, stopPostmaster } from './running-postgres.ts';

export type EmbeddedPostgresOptions = {
  /** Made if missing; holds `data/`, `password` (mode 600) and `postgres.log`. */
  readonly directory: string;
  /** TCP port on 127.0.0.1. Default: a free one, or that of the server that runs already. */
  readonly port?: number;
  readonly connectionsMax?: number;
  /** False for tests: no fsync, so that a power cut would lose data. Default true. */
  readonly durable?: boolean;
  readonly startTimeoutMs?: number;
};

export type EmbeddedPostgres = {
  /** Superuser, database `postgres`. Holds the password: never log it. */
  readonly adminUrl: string;
  readonly port: number;
  readonly pid: number;
  /** True when a server was running already, left by a process that was killed. */
  readonly adopted: boolean;
  stop(): Promise<void>;
};

/**
 * Starts Postgres on a directory, or adopts the one that runs there already. What stands in the way (another major version, a port in use,
 * no permission) is thrown as an Error of one sentence. The server is not in the terminal's process group: Ctrl-C reaches the services, which
 * drain into a database that still runs.
 */
export async function startPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const binaries = await loadPostgresBinaries();
  const directory = prepareDirectory(options.directory);
  const place = { directory, dataDirectory: join(directory, 'data'), log: join(directory, 'postgres.log') };
  const user = postgresUser([binaries.postgres, directory], place.dataDirectory);
  user.own(directory);
  const password = loadPassword(directory);
  initialise(place, binaries, user, options.durable ?? true);

  let running = findPostmaster(place.dataDirectory);
  if (running !== undefined && options.port !== undefined && running.port !== options.port) {
    await stopPostmaster(place.dataDirectory);
    running = undefined;
  }
  const port = running?.port ?? options.port ?? (await freePort());
  const adminUrl = `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`;
  const deadline = Date.now() + (options.startTimeoutMs ?? 60_000);
  // A server that was found may be ending.
  if (running !== undefined && !(await untilReady({ ...place, adminUrl, deadline }, () => findPostmaster(place.dataDirectory) !== undefined))) running = undefined;
  if (running === undefined) await start({ ...options, ...place, port, adminUrl, deadline }, binaries, user);

  const pid = findPostmaster(place.dataDirectory)?.pid;
  if (pid === undefined) throw new Error(`Postgres ended right after its start. ${lastLine(place.log)}`);
  return { adminUrl, port, pid, adopted: running !== undefined, stop: () => stopPostmaster(place.dataDirectory) };
}

type Place = { readonly directory: string; readonly dataDirectory: string; readonly log: string };
type Launch = Place & { readonly port: number; readonly adminUrl: string; readonly deadline: number } & Pick<EmbeddedPostgresOptions, 'connectionsMax' | 'durable'>;

function prepareDirectory(directory: string): string {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return realpathSync(directory);
  } catch (cause) {
    throw new Error(`The folder ${directory} cannot be made (${(cause as NodeJS.ErrnoException).code}). Give permission, or choose another folder.`, { cause });
  }
}

function loadPassword(directory: string): string {
  const file = join(directory, 'password');
  try {
    if (!existsSync(file)) writeFileSync(file, randomBytes(24).toString('base64url'), { mode: 0o600 });
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new Error(`The folder ${directory} is not readable and writable for this user (${(cause as NodeJS.ErrnoException).code}). Start as the user who made it.`, { cause });
  }
}

function initialise(place: Place, binaries: PostgresBinaries, user: PostgresUser, durable: boolean): void {
  const versionFile = join(place.dataDirectory, 'PG_VERSION');
  try {
    const version = readFileSync(versionFile, 'utf8').trim();
    if (version !== postgresMajor) throw new Error(`The database in ${place.dataDirectory} is of Postgres ${version}, and this is Postgres ${postgresMajor}. Dump it with its own version, or choose another folder.`);
    return;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES') throw new Error(`The database in ${place.dataDirectory} belongs to another user. Start as that user, or choose another folder.`, { cause: error });
    if (code !== 'ENOENT') throw error;
  }
  if (existsSync(place.dataDirectory)) throw new Error(`The folder ${place.dataDirectory} exists and is not a Postgres database. Move it away, or choose another folder.`);
  // Renamed when whole: what is left under this name is an attempt that was cut off.
  const fresh = `${place.dataDirectory}.new`;
  rmSync(fresh, { recursive: true, force: true });
  const passwordFile = join(place.directory, 'initdb-password');
  writeFileSync(passwordFile, loadPassword(place.directory), { mode: 0o600 });
  user.own(passwordFile);
  // The builtin locale sorts alike on every machine and has no library that could change under an index.
  const locale = ['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'];
  const { command, args } = user.wrap(binaries.initdb, ['-D', fresh, '-U', 'postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--data-checksums', ...locale, ...(durable ? [] : ['--no-sync'])]);
  const { status, stderr, error } = spawnSync(command, args, { ...user.ids, cwd: place.directory, stdio: ['ignore', 'ignore', 'pipe'], env: environment() });
  rmSync(passwordFile, { force: true });
  if (status !== 0) throw new Error(`A database could not be made in ${place.directory}: ${error?.message ?? stderr.toString().trim().split('\n').at(-1)}`);
  renameSync(fresh, place.dataDirectory);
}

async function start(launch: Launch, binaries: PostgresBinaries, user: PostgresUser): Promise<void> {
  await assertPortFree(launch.port);
  clearStalePidFile(launch.dataDirectory);
  // Backends of a server killed with -9 hold its shared memory until they notice.
  for (let attempt = 1; ; attempt++) {
    const from = existsSync(launch.log) ? statSync(launch.log).size : 0;
    if (await launchOnce(launch, binaries, user)) return;
    const output = readFileSync(launch.log, 'utf8').slice(from);
    if (attempt < 20 && /still in use|already exists/.test(output)) {
      await new Promise((resolve) => setTimeout(resolve, 250));
      continue;
    }
    if (/could not bind|could not create any TCP/.test(output)) throw portInUse(launch.port);
    throw new Error(`Postgres does not start on ${launch.dataDirectory}: ${lastLine(launch.log)} (more in ${launch.log})`);
  }
}

/** True when it answers, false when it ended. */
async function launchOnce(launch: Launch, binaries: PostgresBinaries, user: PostgresUser): Promise<boolean> {
  if (existsSync(launch.log) && statSync(launch.log).size > 10_000_000) truncateSync(launch.log);
  const log = openSync(launch.log, 'a', 0o600);
  const { command, args } = user.wrap(binaries.postgres, ['-D', launch.dataDirectory, ...settings(launch).flatMap((setting) => ['-c', setting])]);
  const child = spawn(command, args, { ...user.ids, cwd: launch.directory, detached: true, stdio: ['ignore', log, log], env: environment() });
  closeSync(log);
  child.unref();
  let ended = false;
  child.once('error', () => (ended = true));
  child.once('exit', () => (ended = true));
  return await untilReady(launch, () => !ended);
}

function settings(launch: Launch): string[] {
  return [
    `port=${launch.port}`,
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    `max_connections=${launch.connectionsMax ?? 300}`,
    // Statements may carry what must not be in a log.
    'log_min_error_statement=panic',
    'log_checkpoints=off',
    // Nothing replicates from this server: less to write per commit.
    'wal_level=minimal',
    'max_wal_senders=0',
    'shared_buffers=128MB',
    ...(launch.durable === false ? ['fsync=off', 'full_page_writes=off', 'synchronous_commit=off'] : []),
  ];
}

/** True when the server answers; false when `isAlive` said no. Watches the status it writes, as pg_ctl does. */
async function untilReady(server: Place & { adminUrl: string; deadline: number }, isAlive: () => boolean): Promise<boolean> {
  for (; Date.now() < server.deadline; await new Promise((resolve) => setTimeout(resolve, 10))) {
    if (!isAlive()) return false;
    if (findPostmaster(server.dataDirectory)?.isReady === true && (await answers(server))) return true;
  }
  throw new Error(`Postgres on ${server.dataDirectory} does not get ready in time. ${lastLine(server.log)}`);
}

async function answers(server: Place & { adminUrl: string }): Promise<boolean> {
  const client = new Client({ connectionString: server.adminUrl, connectionTimeoutMillis: 10_000 });
  // Lost while we ask: the query below rejects and says so.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ directory: string }>(`select current_setting('data_directory') as directory`);
    if (rows[0]?.directory !== server.dataDirectory) throw new Error(`Another Postgres server answers in place of the one on ${server.dataDirectory}.`);
    return true;
  } catch (error) {
    const { code } = error as { code?: string };
    // It ends right now: whether it is alive is asked again.
    if (code === 'ECONNREFUSED' || code === 'ECONNRESET' || code?.startsWith('57P') === true) return false;
    if (code !== '28P01') throw error;
    throw new Error(`The password in ${join(server.directory, 'password')} is not that of the database beside it. Put the right one there, or choose another folder.`, { cause: error });
  } finally {
    await client.end();
  }
}

async function assertPortFree(port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const probe = createServer().once('error', () => reject(portInUse(port)));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve()));
  });
}

function portInUse(port: number): Error {
  return new Error(`Port ${port} on 127.0.0.1 is in use, so Postgres cannot listen there. Stop what uses it, or choose another port.`);
}

async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}

/** A clean environment: PGDATA, PGPORT and the like of the caller must not reach this server. */
function environment(): Record<string, string> {
  return { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
}

function lastLine(log: string): string {
  try {
    return readFileSync(log, 'utf8').trim().split('\n').at(-1) ?? '';
  } catch {
    return '';
  }
}
