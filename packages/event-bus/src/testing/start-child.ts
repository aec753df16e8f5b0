import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ChildTask } from './consume-in-child.ts';

export type Child = {
  /** Everything it said so far. */
  readonly lines: readonly string[];
  /** Resolves when it has said enough. */
  until(enough: (lines: readonly string[]) => boolean): Promise<void>;
  /** Resolves with the signal that has ended it, when it was one. */
  exit(): Promise<string | null>;
  /** Sends the signal and resolves with the exit code when it has ended. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null>;
};

export async function startChild(task: ChildTask): Promise<Child> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./consume-in-child.ts', import.meta.url)), JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Jest's own flags are not the child's.
    env: { ...process.env, NODE_OPTIONS: '--disable-warning=ExperimentalWarning' },
  });
  const lines: string[] = [];
  const errors: string[] = [];
  const waiting = new Set<() => void>();
  const exited = once(child, 'exit');
  let ended = false;
  child.stderr.on('data', (text: Buffer) => errors.push(text.toString()));
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    for (const check of waiting) check();
  });
  child.on('exit', () => {
    ended = true;
    for (const check of waiting) check();
  });

  function until(enough: (lines: readonly string[]) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        if (enough(lines)) resolve();
        else if (ended) reject(new Error(`the child ended early: ${errors.join('')}`));
        else return;
        waiting.delete(check);
      };
      waiting.add(check);
      check();
    });
  }

  await until((said) => said.includes('ready'));
  return {
    lines,
    until,
    async exit() {
      const [, signal] = (await exited) as [number | null, string | null];
      return signal;
    },
    async end(signal) {
      if (!ended) child.kill(signal);
      const [code] = (await exited) as [number | null];
      return code;
    },
  };
}
