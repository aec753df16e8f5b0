// bench:ingest: how many webhooks a second are verified, deduplicated, durable and answered, against what one writes first (Express + kafkajs,
// none of that) and against an HTTP server that does nothing. Each server is a process of its own, one at a time, in turns.
import { prepareServices, type ServiceDefinition } from '@switchboard/service-kit';
import { runtimeUrl } from '@switchboard/db';
import { startPostgres } from '@switchboard/db/embedded';
import { startKafka } from '@switchboard/testing/kafka';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { service } from '../../apps/webhook-ingest/src/service.ts';
import type { LoadOptions, LoadResult } from './ingest/load.ts';
import { startTenantStandIn } from './ingest/tenant-stand-in.ts';
import * as processes from './start-process.ts';
import { median, startProcess, type Measured } from './start-process.ts';
import { storeResult } from './store-result.ts';

const connections = 64;
const warmUpSeconds = Number(process.env['BENCH_WARM_UP_SECONDS'] ?? 3);
const seconds = Number(process.env['BENCH_SECONDS'] ?? 6);
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 3);
const secret = 'bench-app-secret';
const phoneNumberIds = Array.from({ length: 10 }, (_, index) => String(700_100_200_300_000 + index));
const rolePassword = (role: string) => `password-of-${role}`;

type Round = processes.Round<LoadResult>;

const load = (server: Measured, forSeconds: number) => {
  const options: Omit<LoadOptions, 'port'> = { path: '/webhooks/whatsapp', connections, seconds: forSeconds, secret, phoneNumberIds };
  return processes.load<LoadResult>(server, './ingest/load.ts', options);
};

const directory = await mkdtemp(join(tmpdir(), 'switchboard-bench-ingest-'));
const [postgres, kafka] = await Promise.all([startPostgres({ directory: join(directory, 'postgres') }), startKafka({ directory: join(directory, 'kafka') })]);
const tenants = await startTenantStandIn({ phoneNumberIds, secret });
const servers: Measured[] = [];
try {
  const admin = new Client({ connectionString: postgres.adminUrl });
  await admin.connect();
  const environments: Record<'kafka' | 'embedded', NodeJS.ProcessEnv> = { kafka: {}, embedded: {} };
  for (const driver of ['kafka', 'embedded'] as const) {
    await admin.query(`create database ingest_${driver}`);
    const url = new URL(postgres.adminUrl);
    url.pathname = `/ingest_${driver}`;
    await prepareServices([service as ServiceDefinition], { adminUrl: url.href, driver, rolePassword });
    const busRole = driver === 'kafka' ? 'switchboard_ingest_bus' : 'switchboard_bus';
    environments[driver] = {
      PORT: '0',
      LOG_LEVEL: 'info',
      DATABASE_URL: runtimeUrl(url.href, 'switchboard_ingest', rolePassword('switchboard_ingest')),
      BUS_DRIVER: driver,
      BUS_DATABASE_URL: runtimeUrl(url.href, busRole, rolePassword(busRole)),
      KAFKA_BROKERS: kafka.brokers,
      TENANT_SERVICE_URL: tenants.url,
      INTERNAL_TOKEN_SECRET: randomBytes(32).toString('hex'),
      KEY_ENCRYPTION_KEY: randomBytes(32).toString('hex'),
      MEDIA_URL_SECRET: randomBytes(32).toString('hex'),
    };
  }
  const main = '../../apps/webhook-ingest/src/main.ts';
  servers.push(
    await startProcess('bare', 'node:http reads the body, 200', './ingest/bare-server.ts', []),
    await startProcess('naive', 'Express + kafkajs send a request, acks=all', './ingest/naive-server.ts', [kafka.brokers]),
    await startProcess('switchboard', 'verified, deduplicated, durable, published (kafka driver)', main, [], environments.kafka),
    await startProcess('switchboard-embedded', 'the same, embedded driver', main, [], environments.embedded),
  );

  const measured = new Map<string, Round[]>();
  for (const server of servers) await load(server, warmUpSeconds);
  for (let round = 0; round < rounds; round++) {
    for (const server of servers) {
      const result = await load(server, seconds);
      measured.set(server.name, [...(measured.get(server.name) ?? []), result]);
      // What the server still does in the background (the outbox relay) is its own cost, not the next one's.
      await sleep(1_000);
    }
  }
  const rows = servers.map(({ name, does }) => {
    const all = measured.get(name) ?? [];
    const notOk = all.reduce((sum, result) => sum + result.answered - (result.statuses['200'] ?? 0), 0);
    return { name, does, perSecond: median(all.map((r) => r.perSecond)), p50Ms: median(all.map((r) => r.p50Ms)), p99Ms: median(all.map((r) => r.p99Ms)), cpuMicros: median(all.map((r) => r.cpuMicros)), notOk };
  });
  const rateOf = (name: string) => rows.find((row) => row.name === name)?.perSecond ?? Number.NaN;
  const ratios = { toNaive: rateOf('switchboard') / rateOf('naive'), toBare: rateOf('switchboard') / rateOf('bare'), embeddedToNaive: rateOf('switchboard-embedded') / rateOf('naive'), embeddedToBare: rateOf('switchboard-embedded') / rateOf('bare') };

  console.log(`ingest, ${connections} connections, ${rounds} rounds of ${seconds} s, medians`);
  console.table(Object.fromEntries(rows.map(({ name, perSecond, p50Ms, p99Ms, cpuMicros, notOk }) => [name, { 'webhooks/s': Math.round(perSecond), 'p50 ms': p50Ms.toFixed(1), 'p99 ms': p99Ms.toFixed(1), 'CPU µs each': Math.round(cpuMicros), 'not 200': notOk, '× naive': (perSecond / rateOf('naive')).toFixed(2), '% of bare': ((perSecond / rateOf('bare')) * 100).toFixed(0) }])));
  console.log(`aim: ≥ 1.5 × naive (is ${ratios.toNaive.toFixed(2)}), ≥ 40 % of bare (is ${(ratios.toBare * 100).toFixed(0)} %)`);

  storeResult('ingest', { connections, rounds, seconds, rows, ratios });
  await admin.end();
} finally {
  for (const { child } of servers) child.kill('SIGKILL');
  tenants.stop();
  await kafka.kill();
  await postgres.stop();
  await rm(directory, { recursive: true, force: true });
}
