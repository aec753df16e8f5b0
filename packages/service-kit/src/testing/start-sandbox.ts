import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { testEnvironment } from './test-environment.ts';

export type SandboxProcess = {
  readonly url: string;
  /** A control call, below `/sandbox`. */
  readonly ask: <Reply = Record<string, unknown>>(method: 'GET' | 'POST' | 'PATCH', path: string, body?: unknown) => Promise<Reply>;
  readonly stop: () => void;
};

/** The provider-sandbox as a process of its own: what it was sent stands there, whatever becomes of those who sent it. */
export async function startSandbox(): Promise<SandboxProcess> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const main = fileURLToPath(new URL('../../../../apps/provider-sandbox/src/main.ts', import.meta.url));
  const environment = testEnvironment({ PORT: String(port), SANDBOX_PUBLIC_URL: url, NODE_OPTIONS: '--disable-warning=ExperimentalWarning' });
  // The cast drops variables without a value, of which there is none.
  const child = spawn(process.execPath, [main], { stdio: ['ignore', 'ignore', 'inherit'], env: environment as NodeJS.ProcessEnv });
  for (const end = Date.now() + 30_000; ; await sleep(50)) {
    const isReady = await fetch(`${url}/health/ready`).then(({ ok }) => ok, () => false);
    if (isReady) break;
    if (Date.now() > end || child.exitCode !== null) throw new Error('the sandbox does not start');
  }
  return {
    url,
    async ask<Reply>(method: 'GET' | 'POST' | 'PATCH', path: string, body?: unknown): Promise<Reply> {
      const response = await fetch(`${url}/sandbox${path}`, { method, ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }) });
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
      // The test knows what it asks for.
      return (await response.json()) as Reply;
    },
    stop: () => void child.kill('SIGKILL'),
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo; // it listens on TCP
  await new Promise((resolve) => server.close(resolve));
  return port;
}
