import { expect, it } from '@jest/globals';
import type { TenantId } from '@switchboard/contracts';
import { setTimeout as sleep } from 'node:timers/promises';
import { noteOf, publishNote, type OpenBus } from './bus-under-test.ts';
import { eventually, listen, upTo, type SuiteTools } from './suite-tools.ts';

const quietEvents = 60;
const quietEveryMs = 25;
/** Long against the noise of a busy test machine. */
const workMs = 30;

/** Measurements at most: what else the machine does in one of them must not decide. An unfair bus is unfair in all. */
const roundsMax = 3;

/** A tenant at a hundred times the load leaves the others' latency within twice their own. */
export function describeFairness(tools: SuiteTools): void {
  it('serves a tenant within twice its own time while another has a hundred times its load', async () => {
    const rounds: Round[] = [];
    while (rounds.length < roundsMax && !rounds.some(isFair)) rounds.push(await measureRound(tools));
    expect(rounds.filter(isFair)).toHaveLength(1);
    // The flood was there the whole time.
    for (const { floodHandled } of rounds) expect(floodHandled).toBeLessThan(quietEvents * 100);
  }, 180_000);
}

/** Times beside the flood, as multiples of those without it. */
type Round = { readonly p50: number; readonly p95: number; readonly floodHandled: number };

function isFair({ p50, p95 }: Round): boolean {
  return p50 <= 2 && p95 <= 2;
}

async function measureRound({ tenants, open, newRun }: SuiteTools): Promise<Round> {
  const [loud, quiet] = tenants;
  const run = newRun();
  const consumer = open();
  const handledAt = new Map<string, number>();
  listen(consumer, run, 'idempotent', async (event) => {
    await sleep(workMs);
    const { key, n } = noteOf(event);
    handledAt.set(`${event.tenantId} ${key} ${n}`, performance.now());
  });
  await consumer.bus.start();
  await publishQuiet(consumer, quiet, run, 'warm-up', handledAt);
  const alone = await publishQuiet(consumer, quiet, run, 'alone', handledAt);
  await Promise.all(upTo(50).map(async (key) => {
    for (const n of upTo((quietEvents * 100) / 50)) await publishNote(consumer.bus, loud, { run, key: `flood-${key}`, n });
  }));
  const besideFlood = await publishQuiet(consumer, quiet, run, 'beside', handledAt);
  const floodHandled = [...handledAt.keys()].filter((name) => name.startsWith(`${loud} flood`)).length;
  await consumer.bus.stop();
  return { p50: percentile(besideFlood, 0.5) / percentile(alone, 0.5), p95: percentile(besideFlood, 0.95) / percentile(alone, 0.95), floodHandled };
}

/** Latencies in milliseconds, publish to end of the handler. */
async function publishQuiet({ bus }: OpenBus, tenant: TenantId, run: string, name: string, handledAt: ReadonlyMap<string, number>): Promise<number[]> {
  const publishedAt: number[] = [];
  for (const n of upTo(quietEvents)) {
    publishedAt.push(performance.now());
    void publishNote(bus, tenant, { run, key: `${name}-${n}`, n });
    await sleep(quietEveryMs);
  }
  const nameOf = (index: number): string => `${tenant} ${name}-${index + 1} ${index + 1}`;
  await eventually(() => publishedAt.every((_, index) => handledAt.has(nameOf(index))), (all) => all);
  return publishedAt.map((at, index) => (handledAt.get(nameOf(index)) ?? Number.NaN) - at);
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
