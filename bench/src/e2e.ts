// bench:e2e: how long a message takes through the whole hub, from the webhook at one provider to the call at the other, in both modes, how many a
// second it carries, and whether one tenant's flood is felt by the others; against a relay that does none of the hub's work.
// Arguments: `embedded`, `distributed`, or neither for both.
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startKafka, type RunningKafka } from '@switchboard/testing/kafka';
import { measureFairness, type Fairness } from './e2e/fairness.ts';
import { createHub, type Mode } from './e2e/hubs.ts';
import { measureMax, measureRate, type Row, type Subject } from './e2e/measure.ts';
import { onboardTenants, openConversations } from './e2e/onboard.ts';
import { startProviders } from './e2e/providers.ts';
import { startRelay } from './e2e/relay.ts';
import { freePort } from '../../tests/e2e/src/hub-process.ts';
import { storeResult } from './store-result.ts';

// The Genesys connector sends 50 messages a second to a connection (100 at once): forty of them leave that far above what is measured.
const tenantCount = Number(process.env['BENCH_TENANTS'] ?? 40);
const contactsEach = 25;
const rates = (process.env['BENCH_RATES'] ?? '50,100,200').split(',').map(Number);
const seconds = Number(process.env['BENCH_SECONDS'] ?? 6);
/** Half a second's worth at the rate aimed at: enough to keep everything busy, little enough to see a queue that grows. */
const outstandingMax = Number(process.env['BENCH_OUTSTANDING'] ?? 500);
const wanted = process.argv.slice(2);
const modes = (['embedded', 'distributed'] as const).filter((mode) => wanted.length === 0 || wanted.includes(mode));

const directory = await mkdtemp(join(tmpdir(), 'switchboard-bench-e2e-'));
const rows: Row[] = [];
const fairness: Fairness[] = [];
const loadAverageBefore = loadavg();
let kafka: RunningKafka | undefined;
try {
  for (const mode of modes) {
    if (mode === 'distributed') kafka = await startKafka({ directory: join(directory, 'kafka'), detached: true });
    await measureMode(mode, kafka);
  }
} finally {
  await kafka?.kill();
  await rm(directory, { recursive: true, force: true });
}
printTables();
if (wanted.length === 0) storeResult('e2e', { setting: { tenantCount, contactsEach, seconds, outstandingMax, loadAverageBefore }, rows, fairness });

async function measureMode(mode: Mode, kafka: RunningKafka | undefined): Promise<void> {
  const nodeOptions = process.env['BENCH_HUB_NODE_OPTIONS'];
  const sandboxPort = await freePort();
  const coming = await createHub(mode, join(directory, mode), {
    SANDBOX_URL: `http://127.0.0.1:${sandboxPort}`,
    ...(nodeOptions === undefined ? {} : { NODE_OPTIONS: nodeOptions }),
    ...(kafka === undefined ? {} : { KAFKA_BROKERS: kafka.brokers }),
  });
  const providers = await startProviders(sandboxPort, coming.ingestUrl);
  const hub = await coming.start();
  try {
    const tenants = await onboardTenants(hub, providers, tenantCount, contactsEach);
    const subject: Subject = { name: mode, ingestUrl: hub.ingestUrl, providers, tenants, pids: { ...hub.pids, ...(mode === 'distributed' && kafka !== undefined ? { kafka: kafka.pid } : {}) } };
    await openConversations(providers, tenants);
    for (const direction of ['in', 'back'] as const) {
      await measureRate(subject, direction, 50, 2);
      for (const rate of rates) note(await measureRate(subject, direction, rate, seconds));
    }
    note(await measureMax(subject, 'in', outstandingMax, seconds + 2));
    if (mode === 'distributed' && kafka !== undefined) await measureRelay(kafka, subject);
    fairness.push(await measureFairness(subject, seconds + 2));
  } finally {
    await hub.stop();
    providers.stop();
  }
}

/** The reference, between the same broker and the same sandbox, while the hub is idle. */
async function measureRelay(broker: RunningKafka, { providers, tenants }: Subject): Promise<void> {
  const relay = await startRelay(broker.brokers, providers, tenants);
  try {
    const subject: Subject = { name: 'naive relay', ingestUrl: relay.url, providers, tenants, pids: { hub: relay.pid, kafka: broker.pid } };
    await measureRate(subject, 'in', 50, 2);
    for (const rate of rates) note(await measureRate(subject, 'in', rate, seconds));
    note(await measureMax(subject, 'in', outstandingMax, seconds + 2));
  } finally {
    relay.stop();
  }
}

function note(row: Row): void {
  rows.push(row);
  console.log(`${row.name} ${row.direction} ${row.kind === 'max' ? 'max ' : ''}${Math.round(row.perSecond)}/s: p50 ${row.latency.p50.toFixed(1)} ms, p99 ${row.latency.p99.toFixed(1)} ms, lost ${row.lost}, doubled ${row.doubled}, refused ${row.refused}`);
}

function printTables(): void {
  const relayAt = (row: Row) => rows.find(({ name, kind, perSecond }) => name === 'naive relay' && kind === row.kind && (kind === 'max' || perSecond === row.perSecond));
  const ms = (value: number) => value.toFixed(1);
  console.log(`\nwebhook in → call at the other provider; ${tenantCount} tenants, ${contactsEach} contacts each, ${seconds} s a row; milliseconds. In: WhatsApp → Genesys; back: Genesys → WhatsApp, with two statuses a message.`);
  console.table(
    rows.map((row) => {
      const relay = relayAt(row);
      return {
        what: `${row.name}, ${row.direction}`,
        'msg/s': `${row.kind === 'max' ? 'max ' : ''}${Math.round(row.perSecond)}`,
        p50: ms(row.latency.p50),
        p90: ms(row.latency.p90),
        p99: ms(row.latency.p99),
        '200 p50': ms(row.answer.p50),
        '200 p99': ms(row.answer.p99),
        lost: row.lost,
        doubled: row.doubled,
        'CPU ms each': Object.entries(row.cpuMs).map(([name, value]) => `${name} ${value.toFixed(2)}`).join(' '),
        '× relay': relay === undefined || relay === row ? '' : row.kind === 'max' ? `rate ${(row.perSecond / relay.perSecond).toFixed(2)}` : `p50 ${(row.latency.p50 / relay.latency.p50).toFixed(2)} p99 ${(row.latency.p99 / relay.latency.p99).toFixed(2)}`,
        load: row.loadAverage.toFixed(1),
      };
    }),
  );
  console.log('one tenant at 100 times the rate of each of the others: their latency');
  console.table(fairness.map(({ name, others, alone, beside, p99Ratio, lost }) => ({ what: name, others, 'p50 alone': ms(alone.p50), 'p50 beside': ms(beside.p50), 'p99 alone': ms(alone.p99), 'p99 beside': ms(beside.p99), 'p99 ratio': p99Ratio.toFixed(2), lost })));
  console.log('aims: at 200 msg/s p50 ≤ 30 ms, p99 ≤ 150 ms; distributed ≥ 1 000 msg/s; p99 ratio ≤ 2');
}
