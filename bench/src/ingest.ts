// bench:ingest: how many webhooks a second are verified, deduplicated, durable and answered, against what one writes first (Express + kafkajs,
// none of that) and against an HTTP server that does nothing. Each server is a process of its own, one at a time, in turns.
import { prepareServices, type ServiceDefinition } from '@switchboard/service-kit';
import { runtimeUrl } from '@switchboard/db';
import { startPostgres } from '@switchboard/db/embedded';
import { startKafka } from '@switchboard/testing/kafka';
import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { service } from '../../apps/webhook-ingest/src/service.ts';
import type { LoadOptions, LoadResult } from './ingest/load.ts';
import { startTenantStandIn } from './ingest/tenant-stand-in.ts';

const connections = 64;
const warmUpSeconds = Number(process.env['BENCH_WARM_UP_SECONDS'] ?? 3);
const seconds = Number(process.env['BENCH_SECONDS'] ?? 6);
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 3);
const secret = 'bench-app-secret';
const phoneNumberIds = Array.from({ length: 10 }, (_, index) => String(700_100_200_300_000 + index));
const rolePassword = (role: string) => `password-of-${role}`;

type Server = { readonly name: string; readonly does: string; readonly child: ChildProcess; readonly port: number };
type Round = LoadResult & { readonly cpuMicros: number };

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));

async function startServer(name: string, does: string, path: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Server> {
  const child = spawn(process.execPath, [file(path), ...args], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise<number>((resolve, reject) => {
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const found = /listening (\d+)|"url":"http:\/\/[^"]*:(\d+)"/.exec(output);
      if (found !== null) resolve(Number(found[1] ?? found[2]));
    });
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code} before it listened:\n${output}`)));
  });
  return { name, does, child, port };
}

async function load(server: Server, forSeconds: number): Promise<Round> {
  const options: LoadOptions = { port: server.port, path: '/webhooks/whatsapp', connections, seconds: forSeconds, secret, phoneNumberIds };
  const before = cpuMicrosOf(server.child);
  const { stdout } = await promisify(execFile)(process.execPath, [file('./ingest/load.ts'), JSON.stringify(options)], { maxBuffer: 1024 * 1024 });
  const result = JSON.parse(stdout) as LoadResult; // printed by load.ts
  return { ...result, cpuMicros: (cpuMicrosOf(server.child) - before) / Math.max(1, result.answered) };
}

/** User and system time of the process, in microseconds; Linux counts hundredths of seconds. */
function cpuMicrosOf(child: ChildProcess): number {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const directory = await mkdtemp(join(tmpdir(), 'switchboard-bench-ingest-'));
const [postgres, kafka] = await Promise.all([startPostgres({ directory: join(directory, 'postgres') }), startKafka({ directory: join(directory, 'kafka') })]);
const tenants = await startTenantStandIn({ phoneNumberIds, secret });
const servers: Server[] = [];
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
    await startServer('bare', 'node:http reads the body, 200', './ingest/bare-server.ts', []),
    await startServer('naive', 'Express + kafkajs send a request, acks=all', './ingest/naive-server.ts', [kafka.brokers]),
    await startServer('switchboard', 'verified, deduplicated, durable, published (kafka driver)', main, [], environments.kafka),
    await startServer('switchboard-embedded', 'the same, embedded driver', main, [], environments.embedded),
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

  mkdirSync(new URL('../results/', import.meta.url), { recursive: true });
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, memoryGiB: Math.round(totalmem() / 2 ** 30), node: process.version };
  const commit = execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8', cwd: file('.') }).trim();
  writeFileSync(new URL('../results/ingest.json', import.meta.url), `${JSON.stringify({ measuredAt: new Date().toISOString(), commit, machine, connections, rounds, seconds, rows, ratios }, null, 2)}\n`);
  await admin.end();
} finally {
  for (const { child } of servers) child.kill('SIGKILL');
  tenants.stop();
  await kafka.kill();
  await postgres.stop();
  await rm(directory, { recursive: true, force: true });
}
