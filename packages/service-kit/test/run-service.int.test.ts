import { afterEach, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { testEnvironment } from '../src/testing/index.ts';

type Run = { readonly child: ChildProcess; readonly url: Promise<string>; readonly ended: Promise<{ code: number | null; output: string }> };

const runs: ChildProcess[] = [];
afterEach(() => {
  for (const child of runs.splice(0)) child.kill('SIGKILL');
});

/** The sample service as a process of its own. */
function run(variables: NodeJS.Dict<string>): Run {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./run-sample.ts', import.meta.url))], { env: { PATH: '/usr/bin:/bin', ...variables }, stdio: ['ignore', 'pipe', 'pipe'] });
  runs.push(child);
  let output = '';
  const url = new Promise<string>((resolve) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const found = /"url":"([^"]+)"/.exec(output)?.[1];
      if (found !== undefined) resolve(found);
    });
  });
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<{ code: number | null; output: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, output }));
  });
  return { child, url, ended };
}

const environment = { ...testEnvironment(), LOG_LEVEL: 'info' };

describe('a service as a process', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('finishes what is under way on %s and ends with 0', async (signal) => {
    const { child, url, ended } = run(environment);
    const slow = fetch(`${await url}/slow`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    child.kill(signal);
    expect(await (await slow).text()).toBe('finished');
    const { code, output } = await ended;
    expect(code).toBe(0);
    expect(output).toContain('"msg":"stopped"');
  }, 20_000);

  it.each(['error', 'rejection'])('ends with 1 after an uncaught %s: it does not go on in a state nobody knows', async (kind) => {
    const { url, ended } = run(environment);
    await fetch(`${await url}/break/${kind}`, { method: 'POST' });
    const { code, output } = await ended;
    expect({ code, said: output.includes('nobody caught this') }).toEqual({ code: 1, said: true });
  }, 20_000);

  it('says what is missing in sentences, without a stack, and ends with 1', async () => {
    const { ended } = run({ ADMIN_KEY: 'short' });
    const { code, output } = await ended;
    expect(code).toBe(1);
    expect(output.trim().split('\n')).toEqual([
      'auth-service cannot start:',
      expect.stringMatching(/^INTERNAL_TOKEN_SECRET is missing: /),
      expect.stringMatching(/^ADMIN_KEY is not valid: /),
    ]);
    expect(output).not.toContain('short');
  }, 20_000);
});
