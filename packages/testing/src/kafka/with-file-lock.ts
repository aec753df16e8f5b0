import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { dirname } from 'node:path';

/**
 * Runs `fn` while no other process of this machine holds the lock; waits for it up to `waitMs`. A folder is the lock, because making one is
 * atomic; the owner's pid lies in it, so that a lock left behind by a dead process is taken over.
 */
export async function withFileLock<T>(path: string, fn: () => Promise<T>, waitMs = 180_000): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const deadline = Date.now() + waitMs;
  while (!(await acquire(path))) {
    if (await isAbandoned(path)) await rm(path, { recursive: true, force: true });
    else if (Date.now() > deadline) throw new Error(`Waited ${waitMs} ms for the lock ${path}`);
    else await sleep(100);
  }
  try {
    return await fn();
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

async function acquire(path: string): Promise<boolean> {
  try {
    await mkdir(path);
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
  await writeFile(`${path}/pid`, String(process.pid));
  return true;
}

async function isAbandoned(path: string): Promise<boolean> {
  try {
    const pid = Number(await readFile(`${path}/pid`, 'utf8'));
    return pid > 0 && !isAlive(pid);
  } catch {
    // Between making the folder and writing the pid; a folder that stays empty belongs to a process that died in between.
    const age = await stat(path).then((found) => Date.now() - found.mtimeMs, () => 0);
    return age > 5_000;
  }
}

/** Whether a process of this id lives. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}

function hasCode(error: unknown, code: string): boolean {
  // Not `instanceof Error`: Jest runs each file in a realm of its own, and what Node throws is of another.
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
