import { describe, expect, it } from '@jest/globals';
import { newId } from '@switchboard/contracts';
import { testRedis } from '@switchboard/testing';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const redis = testRedis();

const perMinute = 6_000;
/** Until processes have started, on a busy machine. */
const startMs = 5_000;
const lastsMs = 12_000;
const roundsMax = 3;

type Counts = { readonly sent: number; readonly accepted: number; readonly local: number; readonly firstMs: number; readonly lastMs: number };

/** What so many processes together send of one tenant, and how much of it is accepted. */
async function measure(processes: number, load: number, beginMs: number): Promise<Counts> {
  const script = new URL('./limit-process.ts', import.meta.url).pathname;
  const perSecond = (perMinute / 60) * (load / processes);
  const args = [script, redis!.url, newId('req'), perMinute, perSecond, beginMs, beginMs + lastsMs].map(String);
  const counts = await Promise.all(Array.from({ length: processes }, async () => JSON.parse((await run(process.execPath, args)).stdout) as Counts)); // as the script writes it
  return counts.reduce((sum, one) => ({
    sent: sum.sent + one.sent,
    accepted: sum.accepted + one.accepted,
    local: sum.local + one.local,
    firstMs: Math.min(sum.firstMs, one.firstMs),
    lastMs: Math.max(sum.lastMs, one.lastMs),
  }));
}

(redis === undefined ? describe.skip : describe)('processes of their own, by the real clock', () => {
  it('accept of two tenants together what their limits say: of one that sends twice its rate the rate, of one below it everything', async () => {
    // The allowance is reckoned from when requests were sent. On a machine so busy that they wait to be counted, it is another one: that round says
    // nothing and is measured again. A limit that is wrong is wrong in every round.
    const rounds: { ratio: number; demand: number; local: number; refusedBelow: number }[] = [];
    const holds = (round: (typeof rounds)[number]) => round.local === 0 && round.demand > 1.9 && round.ratio > 0.99 && round.ratio < 1.01 && round.refusedBelow === 0;
    while (rounds.length < roundsMax && !rounds.some(holds)) {
      const beginMs = Date.now() + startMs;
      const [twice, below] = await Promise.all([measure(3, 2, beginMs), measure(2, 0.9, beginMs)]);
      const allowance = (perMinute * (twice.lastMs - twice.firstMs)) / 60_000;
      rounds.push({ ratio: twice.accepted / allowance, demand: twice.sent / allowance, local: twice.local + below.local, refusedBelow: below.sent - below.accepted });
    }
    expect({ holds: rounds.some(holds), rounds }).toMatchObject({ holds: true });
  }, 120_000);
});
