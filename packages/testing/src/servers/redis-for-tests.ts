import { spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { registerTestServer } from './guard-test-servers.ts';
import { isMandatory } from './test-directory.ts';

const urlVariable = 'SWITCHBOARD_TEST_REDIS_URL';

/** Starts redis-server where it is installed. */
export async function startRedisForTests(directory: string): Promise<void> {
  if (spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status !== 0) {
    if (isMandatory()) throw new Error('CI=true wants the Redis tests, and redis-server is not installed.');
    console.warn('\n*** SKIPPED: the tests that need Redis. Install redis-server to run them. ***\n');
    return;
  }
  const port = await freePort();
  const child = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', directory], { detached: true, stdio: 'ignore' });
  child.unref();
  if (child.pid === undefined) throw new Error('redis-server does not start.');
  registerTestServer(directory, child.pid);
  const url = `redis://127.0.0.1:${port}`;
  await untilReady(url);
  process.env[urlVariable] = url;
}

/** The run's Redis, or undefined where there is none (said loudly at the start; in CI it is always there). Use `testRedis() ? describe : describe.skip`. */
export function testRedis(): { readonly url: string } | undefined {
  const url = process.env[urlVariable];
  return url === undefined ? undefined : { url };
}

async function untilReady(url: string): Promise<void> {
  // Only here: hundreds of modules, which every test file would load anew.
  const { createClient } = await import('redis');
  for (let attempt = 1; ; attempt++) {
    const client = createClient({ url, socket: { reconnectStrategy: false } });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.ping();
      return;
    } catch (error) {
      if (attempt >= 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    } finally {
      if (client.isOpen) client.destroy();
    }
  }
}

async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
