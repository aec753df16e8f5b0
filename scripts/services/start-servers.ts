import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { holdExclusively, startPostgres } from '../../packages/db/src/embedded/index.ts';
import { startKafka } from '../../packages/testing/src/kafka/index.ts';

/** What the distributed mode stands on. */
export type Servers = { readonly adminUrl: string; readonly kafkaBrokers: string; readonly redisUrl: string | undefined; stop(): Promise<void> };

type Given = { readonly DATABASE_ADMIN_URL?: string; readonly KAFKA_BROKERS?: string; readonly REDIS_URL?: string };

/**
 * Postgres, Kafka and Redis: the ones given by the environment, and for those that are not, real servers as processes with their files
 * under `directory` (Kafka needs Java 17 and Maven, Redis the program redis-server; without it limits are counted in memory).
 */
export async function startServers(directory: string, given: Given): Promise<Servers> {
  mkdirSync(directory, { recursive: true });
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const stopOne of stops.toReversed()) await stopOne();
  };
  try {
    let { DATABASE_ADMIN_URL: adminUrl, KAFKA_BROKERS: kafkaBrokers, REDIS_URL: redisUrl } = given;
    if (adminUrl === undefined) {
      const postgres = await startPostgres({ directory: join(directory, 'postgres'), connectionsMax: 300 });
      const release = await holdExclusively(postgres.adminUrl);
      if (release === false) throw new Error(`Other services run on the folder ${directory}; stop them, or set SWITCHBOARD_HOME to another folder.`);
      stops.push(async () => {
        await release();
        await postgres.stop();
      });
      adminUrl = postgres.adminUrl;
    }
    if (kafkaBrokers === undefined) {
      // In a process group of its own, as Postgres: Ctrl-C must reach the services first, which drain into a broker that still runs.
      const kafka = await startKafka({ directory: join(directory, 'kafka'), detached: true });
      stops.push(() => kafka.stop());
      kafkaBrokers = kafka.brokers;
    }
    if (redisUrl === undefined && hasRedis()) {
      const redis = await startRedis(directory);
      stops.push(redis.stop);
      redisUrl = redis.url;
    }
    return { adminUrl, kafkaBrokers, redisUrl, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function hasRedis(): boolean {
  return spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0;
}

async function startRedis(directory: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const port = await freePort();
  const child = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', directory], { stdio: 'ignore', detached: true });
  for (let tries = 0; tries < 100; tries++) {
    if (spawnSync('redis-cli', ['-p', String(port), 'ping'], { encoding: 'utf8' }).stdout.trim() === 'PONG') break;
    await sleep(50);
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: () =>
      new Promise((done) => {
        child.once('exit', () => done());
        child.kill('SIGTERM');
      }),
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}
