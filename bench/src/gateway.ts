// bench:gateway: what the gateway costs (key, limit, count, token, table of routes) beside a proxy that does nothing but take on, and beside
// what one writes first; all before one upstream, each a process of its own, in turns. Then the same with 10 000 tenants and 50 000 keys.
import { runtimeUrl, provision } from '@switchboard/db';
import { startPostgres } from '@switchboard/db/embedded';
import { installBus } from '@switchboard/event-bus';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadOptions, LoadResult } from './gateway/load.ts';
import { startTenantStandIn, type TenantStandIn } from './gateway/tenant-stand-in.ts';
import * as processes from './start-process.ts';
import { median, memoryMiBOf, startProcess, type Measured } from './start-process.ts';
import { storeResult } from './store-result.ts';

const connections = 64;
const pacePerSecond = 500;
const seconds = Number(process.env['BENCH_SECONDS'] ?? 5);
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 3);
// Long: until then the compiler's own threads cost more than the requests.
const warmUpSeconds = Number(process.env['BENCH_WARM_UP_SECONDS'] ?? 8);
const redisPort = 20_000 + Math.floor(Math.random() * 20_000);
const rolePassword = (role: string) => `password-of-${role}`;
const main = '../../apps/api-gateway/src/main.ts';

type Round = processes.Round<LoadResult>;
const load = (measured: Measured, options: Omit<LoadOptions, 'port'>) => processes.load<LoadResult>(measured, './gateway/load.ts', options);

const directory = await mkdtemp(join(tmpdir(), 'switchboard-bench-gateway-'));
const postgres = await startPostgres({ directory: join(directory, 'postgres') });
const redis: ChildProcess | undefined = spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0 ? spawn('redis-server', ['--port', String(redisPort), '--bind', '127.0.0.1', '--save', '', '--dir', directory], { stdio: 'ignore' }) : undefined;
const running: Measured[] = [];
const standIns: TenantStandIn[] = [];

async function start(...args: Parameters<typeof startProcess>): Promise<Measured> {
  const measured = await startProcess(...args);
  running.push(measured);
  return measured;
}

async function seed(name: string, size: { readonly tenants: number; readonly keysOfEach: number }) {
  const standIn = await startTenantStandIn(size);
  standIns.push(standIn);
  const keysFile = join(directory, `${name}.json`);
  await writeFile(keysFile, JSON.stringify(standIn.keys));
  return { standIn, keysFile };
}

type Row = { readonly rate: Round; readonly pace: Round };

async function measure(servers: readonly Measured[], keysFile: string): Promise<Map<string, Row[]>> {
  const rows = new Map<string, Row[]>(servers.map(({ name }) => [name, []]));
  for (const server of servers) await load(server, { keysFile, connections, seconds: warmUpSeconds });
  for (let round = 0; round < rounds; round++) {
    for (const server of servers) {
      const pace = await load(server, { keysFile, connections: 32, seconds, perSecond: pacePerSecond });
      rows.get(server.name)?.push({ pace, rate: await load(server, { keysFile, connections, seconds }) });
      await sleep(300);
    }
  }
  return rows;
}

function summaryOf(rows: readonly Row[]) {
  const of = (pick: (row: Row) => number) => median(rows.map(pick));
  const notOk = rows.reduce((sum, { rate, pace }) => sum + [rate, pace].reduce((all, { answered, statuses }) => all + answered - (statuses['200'] ?? 0), 0), 0);
  return { perSecond: of(({ rate }) => rate.perSecond), cpuMicros: of(({ rate }) => rate.cpuMicros), busyP99Ms: of(({ rate }) => rate.p99Ms), p50Ms: of(({ pace }) => pace.p50Ms), p99Ms: of(({ pace }) => pace.p99Ms), cpuMicrosAtPace: of(({ pace }) => pace.cpuMicros), notOk };
}

try {
  const services = [{ service: 'tenant-service', schema: 'tenant', prismaDirectory: new URL('file:///none/') }];
  await provision({ adminUrl: postgres.adminUrl, services, rolePassword });
  await installBus({ adminUrl: postgres.adminUrl, driver: 'embedded', services, rolePassword });
  const few = await seed('few', { tenants: 10, keysOfEach: 5 });
  const many = await seed('many', { tenants: 10_000, keysOfEach: 5 });
  const upstream = await start('direct', 'the service itself', './gateway/upstream-server.ts', []);
  const upstreamUrl = `http://127.0.0.1:${upstream.port}`;
  const environment = (standIn: TenantStandIn): NodeJS.ProcessEnv => ({
    PORT: '0',
    LOG_LEVEL: 'info',
    BUS_DATABASE_URL: runtimeUrl(postgres.adminUrl, 'switchboard_bus', rolePassword('switchboard_bus')),
    TENANT_SERVICE_URL: standIn.url,
    STATE_MANAGER_URL: upstreamUrl,
    INTERNAL_TOKEN_SECRET: randomBytes(32).toString('hex'),
  });
  const gateway = (name: string, does: string, env: NodeJS.ProcessEnv) => start(name, does, main, [], env);

  const servers = [
    upstream,
    await start('bare', 'node:http and an undici pool', './gateway/bare-proxy.ts', [upstreamUrl]),
    await start('naive', 'Express, a map of keys, express-rate-limit, http-proxy-middleware', './gateway/naive-gateway.ts', [upstreamUrl, few.keysFile]),
    await gateway('switchboard', 'key, limit in memory, counted calls, token, table of routes', environment(few.standIn)),
    ...(redis === undefined ? [] : [await gateway('switchboard-redis', 'the same, limit in Redis', { ...environment(few.standIn), REDIS_URL: `redis://127.0.0.1:${redisPort}` })]),
  ];
  const measured = await measure(servers, few.keysFile);
  const rows = servers.map(({ name, does }) => ({ name, does, ...summaryOf(measured.get(name) ?? []) }));
  const row = (name: string) => rows.find((one) => one.name === name) ?? rows[0];
  const direct = row('direct');
  const ratios = { toBare: (row('switchboard')?.perSecond ?? 0) / (row('bare')?.perSecond ?? 1), naiveToBare: (row('naive')?.perSecond ?? 0) / (row('bare')?.perSecond ?? 1) };
  const added = (of: (typeof rows)[number] | undefined) => ({ p50Ms: (of?.p50Ms ?? 0) - (direct?.p50Ms ?? 0), p99Ms: (of?.p99Ms ?? 0) - (direct?.p99Ms ?? 0) });

  console.log(`gateway, ${connections} connections and ${pacePerSecond}/s, ${rounds} rounds of ${seconds} s, medians`);
  console.table(Object.fromEntries(rows.map((one) => [one.name, { 'requests/s': Math.round(one.perSecond), '% of bare': Math.round((one.perSecond / (row('bare')?.perSecond ?? 1)) * 100), 'CPU µs each': Math.round(one.cpuMicros), [`added p50 ms at ${pacePerSecond}/s`]: added(one).p50Ms.toFixed(2), 'added p99 ms': added(one).p99Ms.toFixed(2), 'not 200': one.notOk }])));
  console.log(`aim: ≥ 60 % of bare (is ${(ratios.toBare * 100).toFixed(0)} %), ≤ 120 µs (is ${row('switchboard')?.cpuMicros.toFixed(0)}), added p50 ≤ 0.5 ms (is ${added(row('switchboard')).p50Ms.toFixed(2)}), p99 ≤ 1.5 ms (is ${added(row('switchboard')).p99Ms.toFixed(2)})`);

  const tenants: (ReturnType<typeof summaryOf> & { readonly name: string; readonly does: string; readonly lookUps: number; readonly memoryMiB: number })[] = [];
  for (const { name, does, seeded, keysUsed } of [
    { name: '10 tenants', does: '50 keys, each in turn', seeded: few, keysUsed: 50 },
    { name: '10 000 tenants, 50 busy keys', does: 'every one of 50 000 keys once, then 50 of them in turn', seeded: many, keysUsed: 50 },
    { name: '10 000 tenants, all keys', does: '50 000 keys, each in turn: nearly every request is the first of its key in ten seconds', seeded: many, keysUsed: undefined },
  ]) {
    const server = await gateway(name, does, environment(seeded.standIn));
    const { keysFile, standIn } = seeded;
    await load(server, { keysFile, connections, seconds: 60, requestsMax: standIn.keys.length });
    await load(server, { keysFile, connections, seconds: warmUpSeconds, ...(keysUsed === undefined ? {} : { keysUsed }) });
    const lookUpsBefore = standIn.lookUps();
    const all: Row[] = [];
    for (let round = 0; round < rounds; round++) {
      const options = { keysFile, seconds, ...(keysUsed === undefined ? {} : { keysUsed }) };
      const pace = await load(server, { ...options, connections: 32, perSecond: pacePerSecond });
      all.push({ pace, rate: await load(server, { ...options, connections }) });
    }
    tenants.push({ name, does, ...summaryOf(all), lookUps: standIn.lookUps() - lookUpsBefore, memoryMiB: memoryMiBOf(server) });
    server.child.kill('SIGKILL');
  }
  console.table(Object.fromEntries(tenants.map((one) => [one.name, { 'requests/s': Math.round(one.perSecond), '% of 10 tenants': Math.round((one.perSecond / (tenants[0]?.perSecond ?? 1)) * 100), [`p99 ms at ${pacePerSecond}/s`]: one.p99Ms.toFixed(2), 'CPU µs each': Math.round(one.cpuMicros), 'look-ups': one.lookUps, 'memory MiB': one.memoryMiB, 'not 200': one.notOk }])));
  storeResult('gateway', { connections, pacePerSecond, rounds, seconds, rows: rows.map((one) => ({ ...one, added: added(one) })), ratios, tenants });
} finally {
  for (const { child } of running) child.kill('SIGKILL');
  for (const standIn of standIns) standIn.stop();
  redis?.kill('SIGKILL');
  await postgres.stop();
  await rm(directory, { recursive: true, force: true });
}
process.exit();
