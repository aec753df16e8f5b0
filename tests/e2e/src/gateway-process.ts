import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { eventually } from './eventually.ts';
import { freePort, type HubProcess } from './hub-process.ts';

const root = resolve(import.meta.dirname, '../../..');

export type GatewayProcess = { readonly url: string; kill(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> };

/** One more gateway of a hub that runs distributed, as a second replica is: on a port of its own, with the same neighbours, Kafka and Redis. */
export async function startGateway(hub: HubProcess, environment: Readonly<Record<string, string>>): Promise<GatewayProcess> {
  const secret = (name: string) => readFileSync(join(hub.home, name), 'utf8').trim();
  const port = await freePort();
  const neighbours = Object.fromEntries(Object.entries(hub.ports).map(([name, port]) => [`${name}_URL`, `http://127.0.0.1:${port}`]));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'apps/api-gateway/src/main.ts'], {
    cwd: root,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      LOG_LEVEL: 'warn',
      ...neighbours,
      HOST: '127.0.0.1',
      PORT: String(port),
      ADMIN_KEY: hub.adminKey,
      INTERNAL_TOKEN_SECRET: secret('internal-token-secret'),
      KEY_ENCRYPTION_KEY: secret('key-encryption-key'),
      EGRESS_ALLOW: '127.0.0.0/8',
      BUS_DRIVER: 'kafka',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const gone = new Promise<void>((done) => child.once('exit', () => done()));
  const url = `http://127.0.0.1:${port}`;
  await eventually('one more gateway', async () => {
    if (child.exitCode !== null) throw new Error(`a gateway ended with ${child.exitCode}:\n${output.slice(-2000)}`);
    return (await fetch(`${url}/health/ready`).then((response) => response.ok, () => false)) || undefined;
  }, 60_000);
  return {
    url,
    async kill(signal) {
      child.kill(signal);
      await gone;
    },
  };
}
