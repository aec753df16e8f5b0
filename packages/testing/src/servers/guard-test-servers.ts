import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const pidsFile = (directory: string): string => join(directory, 'pids');

/**
 * Ends the servers of a test run whose Jest is killed and never gets to its teardown: a shell waits until Jest's end of a pipe closes, then kills
 * what is written in `pids`, Postgres, Kafka, and the folder.
 */
export function guardTestServers(directory: string): void {
  const script = `cat >/dev/null; cd /; for pid in $(cat "$0/pids" 2>/dev/null) $(head -n 1 "$0/postgres/data/postmaster.pid" 2>/dev/null) $(grep -o '"pid":[0-9]*' "$0/kafka.json" 2>/dev/null | cut -d: -f2); do kill -INT "$pid" 2>/dev/null; done; sleep 2; for pid in $(cat "$0/pids" 2>/dev/null); do kill -KILL "$pid" 2>/dev/null; done; rm -rf "$0"`;
  const guard = spawn('sh', ['-c', script, directory], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  guard.unref();
  // The cast is safe: a pipe to a child is a socket, and the guard must not keep Jest alive.
  (guard.stdin as unknown as { unref(): void }).unref();
}

/** Writes a server's process id where the teardown and the guard find it. */
export function registerTestServer(directory: string, pid: number): void {
  appendFileSync(pidsFile(directory), `${pid}\n`);
}

/** Ends every registered server: asks first, then insists. */
export async function stopTestServers(directory: string): Promise<void> {
  if (!existsSync(pidsFile(directory))) return;
  const pids = readFileSync(pidsFile(directory), 'utf8').trim().split('\n').map(Number);
  for (const pid of pids) kill(pid, 'SIGTERM');
  for (const end = Date.now() + 10_000; Date.now() < end && pids.some((pid) => kill(pid, 0)); ) await new Promise((resolve) => setTimeout(resolve, 50));
  for (const pid of pids) kill(pid, 'SIGKILL');
}

function kill(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
