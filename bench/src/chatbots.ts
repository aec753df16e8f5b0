// bench:chatbots: how long a contact's message takes from Chatwoot's webhook to the tenant's bot (POST /messages at Botpress) in a hub of 10 000
// tenants, each with a config and 20 KB of knowledge, beside a hub of 10: cold (a tenant nobody has written to yet), warm, and while the knowledge of all
// tenants is pushed to their bots; and how much memory that takes. Two hubs as `npm start` runs them, measured in turns, at one and the same rate.
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryMiBOfHub, startHubWithTenants, type HubWithTenants } from './chatbots/hub-with-tenants.ts';
import { measureRound, type Round } from './chatbots/measure.ts';
import type { ChatbotTenant } from './chatbots/onboard.ts';
import { startSyncOfAll, stopSyncOfAll } from './chatbots/sync-all.ts';
import { cpuSecondsOf } from './e2e/cpu-seconds.ts';
import { latencyOf } from './e2e/measure.ts';
import { median } from './start-process.ts';
import { storeResult } from './store-result.ts';

const [fewCount = 10, manyCount = 10_000] = (process.env['BENCH_TENANTS'] ?? '10,10000').split(',').map(Number);
const perSecond = Number(process.env['BENCH_RATE'] ?? 20);
const seconds = Number(process.env['BENCH_SECONDS'] ?? 4);
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 15);
const warmUpSeconds = Number(process.env['BENCH_WARM_UP_SECONDS'] ?? 20);
/** Milliseconds that Botpress takes for a call of its Files API: it, not this machine, sets the pace of a push. */
const filesMs = Number(process.env['BENCH_FILES_MS'] ?? 60);

const directory = await mkdtemp(join(tmpdir(), 'switchboard-bench-chatbots-'));
const started: HubWithTenants[] = [];
try {
  await run();
} finally {
  for (const hub of started) await hub.stop();
  await rm(directory, { recursive: true, force: true });
}
process.exit();

/** Milliseconds a message. */
type Cpu = { readonly hub: number; readonly postgres: number };

async function run(): Promise<void> {
  const start = async (name: string, count: number) => {
    const hub = await startHubWithTenants(name, join(directory, name), count, filesMs);
    started.push(hub);
    console.log(`${name}: ${count} tenants, ${hub.seconds.byApi.toFixed(1)} s by the API and ${hub.seconds.bySql.toFixed(1)} s by SQL; memory of the hub ${hub.memoryMiB.empty} MiB before, ${hub.memoryMiB.seeded} MiB after`);
    return hub;
  };
  const few = await start('few', fewCount);
  const many = await start('many', manyCount);

  const strangers = inTurn(shuffled(many.tenants.slice(fewCount)));
  const known = inTurn(many.tenants.slice(0, fewCount));
  const settings = {
    few: { hub: few, tenants: inTurn(few.tenants) },
    cold: { hub: many, tenants: strangers },
    warm: { hub: many, tenants: known },
    syncing: { hub: many, tenants: strangers },
  };
  type Setting = keyof typeof settings;
  const measured: Record<Setting, (Round & { readonly loadAverage: number; readonly cpuMs: Cpu })[]> = { few: [], cold: [], warm: [], syncing: [] };
  const memoryByRound: number[] = [];
  const syncs: Awaited<ReturnType<typeof stopSyncOfAll>>[] = [];
  const measure = async (setting: Setting, forSeconds: number) => {
    const { hub, tenants } = settings[setting];
    const before = cpuSecondsOf(hub.hub.pids);
    const round = await measureRound({ ...hub.hub, ...hub.place }, tenants, perSecond, forSeconds);
    const after = cpuSecondsOf(hub.hub.pids);
    const msEach = (name: keyof Cpu) => ((after[name] - before[name]) * 1000) / round.sent;
    return { ...round, loadAverage: loadavg()[0] ?? 0, cpuMs: { hub: msEach('hub'), postgres: msEach('postgres') } };
  };
  for (const setting of ['few', 'warm', 'cold'] as const) await measure(setting, warmUpSeconds);
  for (let round = 0; round < rounds; round++) {
    for (const setting of round % 2 === 0 ? (['few', 'cold', 'warm', 'syncing'] as const) : (['syncing', 'warm', 'cold', 'few'] as const)) {
      if (setting === 'syncing') await startSyncOfAll(many.admin, many.place, many.tenants);
      const outcome = await measure(setting, seconds);
      if (setting === 'syncing') syncs.push(await stopSyncOfAll(many.admin));
      measured[setting].push(outcome);
      memoryByRound.push(memoryMiBOfHub(many.hub));
      console.log(`${setting}: p50 ${outcome.latency.p50.toFixed(1)} ms, p99 ${outcome.latency.p99.toFixed(1)} ms, refused ${outcome.refused}, lost ${outcome.lost}, load ${outcome.loadAverage.toFixed(1)}; memory of the hub of many ${memoryByRound.at(-1)} MiB`);
    }
  }

  const rowOf = (setting: Setting) => {
    const of = measured[setting];
    const sum = (pick: (round: Round) => number) => of.reduce((all, round) => all + pick(round), 0);
    const pooled = latencyOf(of.flatMap(({ delays }) => delays));
    return { p50: median(of.map(({ latency }) => latency.p50)), p99: median(of.map(({ latency }) => latency.p99)), pooledP99: pooled.p99, max: pooled.max, sent: sum(({ sent }) => sent), refused: sum(({ refused }) => refused), lost: sum(({ lost }) => lost), doubled: sum(({ doubled }) => doubled), loadAverage: median(of.map(({ loadAverage }) => loadAverage)), cpuMs: { hub: median(of.map(({ cpuMs }) => cpuMs.hub)), postgres: median(of.map(({ cpuMs }) => cpuMs.postgres)) } };
  };
  const rows = { few: rowOf('few'), cold: rowOf('cold'), warm: rowOf('warm'), syncing: rowOf('syncing') };
  const ratios = { coldToFew: rows.cold.p99 / rows.few.p99, warmToFew: rows.warm.p99 / rows.few.p99, syncingToCold: rows.syncing.p99 / rows.cold.p99 };
  const memoryMiB = { few: { ...few.memoryMiB, end: memoryMiBOfHub(few.hub) }, many: { ...many.memoryMiB, end: memoryMiBOfHub(many.hub) } };
  const words: Record<Setting, string> = { few: `${fewCount} tenants`, cold: `${manyCount} tenants, each for the first time`, warm: `${manyCount} tenants, ${fewCount} of them`, syncing: `${manyCount} tenants, first time, all being synced` };
  console.log(`\nChatwoot webhook in → POST /messages at Botpress, ${perSecond}/s, ${rounds} rounds of ${seconds} s in turns, each message a new contact's; medians of the rounds, milliseconds`);
  console.table(Object.fromEntries(Object.entries(rows).map(([setting, row]) => [words[setting as Setting], { p50: row.p50.toFixed(1), p99: row.p99.toFixed(1), 'p99 of all': row.pooledP99.toFixed(1), max: row.max.toFixed(0), sent: row.sent, refused: row.refused, lost: row.lost, doubled: row.doubled, 'CPU ms each': `hub ${row.cpuMs.hub.toFixed(1)} postgres ${row.cpuMs.postgres.toFixed(1)}`, load: row.loadAverage.toFixed(1) }]))); // its keys are those of `rows`
  console.table(Object.fromEntries(Object.entries(memoryMiB).map(([name, memory]) => [`memory of the hub, ${name}, MiB`, memory])));
  const total = (pick: (sync: (typeof syncs)[number]) => number) => syncs.reduce((sum, sync) => sum + pick(sync), 0);
  console.log(`syncs: ${total(({ ended }) => ended)} tenants' jobs ended while it was measured, ${total(({ pushed }) => pushed)} of them pushed (the others share a bot)`);
  console.log(`aims: p99 of ${manyCount} tenants ≤ 1.2 × ${fewCount} (cold ${ratios.coldToFew.toFixed(2)}, warm ${ratios.warmToFew.toFixed(2)}); p99 while syncing ≤ 1.2 × without (${ratios.syncingToCold.toFixed(2)})`);
  if (process.env['BENCH_TENANTS'] === undefined) {
    storeResult('chatbots', { setting: { fewCount, manyCount, perSecond, seconds, rounds, filesMs }, seeding: { few: few.seconds, many: many.seconds }, rows, ratios, memoryMiB, memoryByRound, syncs });
  }
}

function* inTurn(tenants: readonly ChatbotTenant[]): Generator<ChatbotTenant> {
  while (tenants.length > 0) yield* tenants;
}

function shuffled<T>(values: readonly T[]): T[] {
  const all = [...values];
  for (let at = all.length - 1; at > 0; at--) {
    const other = Math.floor(Math.random() * (at + 1));
    [all[at], all[other]] = [all[other] as T, all[at] as T]; // both are within
  }
  return all;
}
