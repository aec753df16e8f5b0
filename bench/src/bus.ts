// bench:bus: a hop through both drivers, a backlog of one partition worked off in order of its keys, and what an idle client costs; each beside
// a reference of the same run. Other work on the machine spoils it: the load average is kept with the result.
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { tenantIdSchema } from '@switchboard/contracts';
import { startBenchServers } from './bus/bench-servers.ts';
import { keys, measureBusBacklog, measureKafkajsBacklog } from './bus/measure-backlog.ts';
import { measureBusHops, measureKafkajsHops, type Hops } from './bus/measure-hops.ts';
import type { BusAddress } from './bus/open-bus.ts';

const hopRounds = 3;
const hopEvents = Number(process.env['BENCH_HOPS'] ?? 500);
const backlogEvents = Number(process.env['BENCH_EVENTS'] ?? 10_000);
const tenant = tenantIdSchema.parse('acme');
const results = new URL('../results/bus.json', import.meta.url);

const servers = await startBenchServers();
const address: BusAddress = { brokers: servers.brokers, adminUrls: servers.adminUrls };
try {
  const loadBefore = loadavg()[0];
  // In turns, so that a busy second of the machine meets all of them.
  const measured: Hops[][] = [];
  for (let round = 0; round < hopRounds; round++) {
    measured.push([
      await measureBusHops(servers, 'kafka', tenant, hopEvents, round),
      await measureBusHops(servers, 'embedded', tenant, hopEvents, round),
      await measureKafkajsHops(servers, 'eachMessage', hopEvents, round),
      await measureKafkajsHops(servers, 'eachBatch', hopEvents, round),
    ]);
  }
  const hops = medians(measured);
  const reference = hops[2]?.p50 ?? Number.NaN;
  console.log(`\na hop (publish called → handler runs), ${hopRounds} rounds of ${hopEvents} events at 100/s, medians`);
  console.table(hops.map(({ name, p50, p99 }) => ({ name, 'p50 ms': round(p50), 'p99 ms': round(p99), 'p50 / reference': round(p50 / reference) })));

  const backlogs = [
    await measureBusBacklog(servers, 'kafka', tenant, backlogEvents),
    await measureBusBacklog(servers, 'embedded', tenant, backlogEvents),
    await measureKafkajsBacklog(servers, Math.min(2_000, backlogEvents)),
  ];
  const serial = backlogs[2]?.eventsPerSecond ?? Number.NaN;
  console.log(`\na backlog in one partition, 0–5 ms of work each, ${keys} keys (aim with Kafka: 10 000 in 2.5 s)`);
  console.table(backlogs.map(({ name, events, seconds, eventsPerSecond, orderViolations }) => ({ name, events, seconds: round(seconds), 'events/s': Math.round(eventsPerSecond), 'order violations': orderViolations, '× reference': round(eventsPerSecond / serial) })));

  const idle = [];
  for (const [kind, name] of [['nothing', 'an empty Node process'], ['kafkajs', 'kafkajs producer and consumer, patched'], ['unpatched', 'kafkajs as published (reference)'], ['bus', 'switchboard kafka: relay, consumer, clock']] as const) {
    idle.push({ name, cpuMsPerSecond: await measureIdle(kind, address) });
  }
  const spinning = idle[2]?.cpuMsPerSecond ?? Number.NaN;
  console.log('\nan idle service (aim: the Kafka client below 5 ms of CPU a second)');
  console.table(idle.map(({ name, cpuMsPerSecond }) => ({ name, 'CPU ms/s': round(cpuMsPerSecond), '/ reference': round(cpuMsPerSecond / spinning) })));

  mkdirSync(new URL('.', results), { recursive: true });
  writeFileSync(results, `${JSON.stringify({ benchmark: 'bus', at: new Date().toISOString(), commit: commit(), machine: { ...machine(), loadBefore }, hops, backlogs, idle }, null, 2)}\n`);
  console.log(`kept in ${fileURLToPath(results)}`);
} finally {
  await servers.stop();
}

async function measureIdle(kind: string, to: BusAddress): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', fileURLToPath(new URL('./bus/idle-client.ts', import.meta.url)), kind, JSON.stringify(to)]);
  return Number(stdout.trim().split('\n').at(-1));
}

function medians(rounds: readonly Hops[][]): Hops[] {
  const middle = (values: readonly number[]): number => values.toSorted((x, y) => x - y)[Math.floor(values.length / 2)] ?? Number.NaN;
  return (rounds[0] ?? []).map(({ name, events }, at) => {
    const same = rounds.flatMap((round) => round[at] ?? []);
    return { name, events: events * rounds.length, p50: middle(same.map(({ p50 }) => p50)), p99: middle(same.map(({ p99 }) => p99)) };
  });
}

function commit(): string {
  return execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
}

function machine(): object {
  const [cpu] = cpus();
  return { cpu: cpu?.model, cores: cpus().length, memoryGib: Math.round(totalmem() / 2 ** 30), node: process.version, platform: `${process.platform} ${process.arch}` };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
