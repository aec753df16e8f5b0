import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export type Postmaster = {
  readonly pid: number;
  readonly port: number;
  /** False while it starts, recovers from a crash, or stops. */
  readonly isReady: boolean;
};

/** The server that runs on this data directory, by its postmaster.pid. */
export function findPostmaster(dataDirectory: string): Postmaster | undefined {
  let lines: string[];
  try {
    lines = readFileSync(join(dataDirectory, 'postmaster.pid'), 'utf8').split('\n');
  } catch {
    return undefined;
  }
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 1 || !isPostgres(pid, dataDirectory)) return undefined;
  return { pid, port: Number(lines[3]), isReady: lines[7]?.trim() === 'ready' };
}

/**
 * Removes the postmaster.pid of a server that was killed, perhaps before a reboot: its number may belong to any process now, and Postgres would
 * refuse to start. Not for a directory on which a server is being started: its file is empty for a moment.
 */
export function clearStalePidFile(dataDirectory: string): void {
  if (findPostmaster(dataDirectory) === undefined) rmSync(join(dataDirectory, 'postmaster.pid'), { force: true });
}

/** Ends a server: lets it roll back and write out (fast shutdown), and after `graceMs` stops it hard, which only makes its next start slower. */
export async function stopPostmaster(dataDirectory: string, graceMs = 20_000): Promise<void> {
  const postmaster = findPostmaster(dataDirectory);
  if (postmaster === undefined) return;
  signal(postmaster.pid, 'SIGINT');
  if (await isGone(postmaster.pid, dataDirectory, graceMs)) return;
  signal(postmaster.pid, 'SIGQUIT');
  if (await isGone(postmaster.pid, dataDirectory, 5_000)) return;
  throw new Error(`The Postgres server ${postmaster.pid} on ${dataDirectory} does not stop. Stop it by hand.`);
}

function isPostgres(pid: number, dataDirectory: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs, as somebody else.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(dataDirectory);
  } catch (error) {
    // It ended a moment ago. EACCES is another user's process; and macOS has no /proc.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && existsSync('/proc/self')) return false;
  }
  try {
    return execFileSync('ps', ['-o', 'comm=', '-p', String(pid)], { stdio: ['ignore', 'pipe', 'ignore'] }).toString().includes('postgres');
  } catch {
    return false;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // ESRCH: gone already, which is what is wanted.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function isGone(pid: number, dataDirectory: string, waitMs: number): Promise<boolean> {
  for (const end = Date.now() + waitMs; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 20))) {
    // The file is the last thing a server removes; its process may linger as a zombie in a container whose process 1 reaps nothing.
    if (!existsSync(join(dataDirectory, 'postmaster.pid'))) return true;
    try {
      process.kill(pid, 0);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true;
    }
  }
  return false;
}
