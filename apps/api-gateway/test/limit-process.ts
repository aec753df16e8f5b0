/**
 * One process of limit-processes.int.test.ts: counts requests of one tenant in Redis, steadily from a moment on, by the real clock.
 * Arguments: URL of Redis, tenant, requests a minute of the tenant, requests a second of this process, when to begin and to end (milliseconds
 * since 1970). Writes how many it sent, from when to when, and how many were accepted.
 */
import { tenantIdSchema } from '@switchboard/contracts';
import { Registry } from 'prom-client';
import { createLimitStore, limitKey } from '../src/limit-store.ts';

const [redisUrl = '', tenant = '', perMinute, perSecond, beginMs, endMs] = process.argv.slice(2);
const silent = { warn: () => undefined, info: () => undefined } as never; // as much of a log as a store writes to
const registry = new Registry();
const { store, close } = createLimitStore({ redisUrl, burstSeconds: 5, redisTimeoutMs: 10_000, log: silent, registry });
const key = (tenantId: string) => limitKey({ tenantId: tenantIdSchema.parse(tenantId), subject: '', rateLimit: Number(perMinute), keyRateLimit: null });
const limit = Math.floor((Number(perMinute) * 5) / 60);
const countedLocally = async () => (await registry.getSingleMetric('switchboard_gateway_limit_local_total')?.get())?.values[0]?.value ?? 0;

// Connected before it counts: what is counted locally is not what is measured here.
for (let before = -1; before !== (await countedLocally()); await new Promise((resolve) => setTimeout(resolve, 20))) {
  before = await countedLocally();
  await store.increment(key(`warm-up-${process.pid}`));
}
const localBefore = await countedLocally();

let sent = 0;
let accepted = 0;
let firstMs = Infinity;
let lastMs = 0;
const answers: Promise<void>[] = [];
while (Date.now() < Number(endMs)) {
  lastMs = Date.now();
  if (lastMs >= Number(beginMs)) firstMs = Math.min(firstMs, lastMs);
  // What is due by now, so that a process that was held up catches up.
  for (const due = ((Date.now() - Number(beginMs)) / 1_000) * Number(perSecond); sent < due; sent++) {
    answers.push(Promise.resolve(store.increment(key(tenant))).then(({ totalHits }) => void (accepted += totalHits <= limit ? 1 : 0)));
  }
  await new Promise((resolve) => setTimeout(resolve, 5));
}
await Promise.all(answers);
process.stdout.write(JSON.stringify({ sent, accepted, firstMs, lastMs, local: (await countedLocally()) - localBefore }));
await close();
