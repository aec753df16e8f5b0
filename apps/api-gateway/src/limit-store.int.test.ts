import { afterEach, describe, expect, it } from '@jest/globals';
import { newId, tenantIdSchema, type TenantId } from '@switchboard/contracts';
import { testKit } from '@switchboard/service-kit/testing';
import { testRedis } from '@switchboard/testing';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createLimitStore, limitKey, type LimitStoreOptions } from './limit-store.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A store as one gateway has it. Its answers in words: whether the request was accepted. */
function gatewayWith(options: Pick<LimitStoreOptions, 'redisUrl'> & Partial<LimitStoreOptions>) {
  const { log, registry } = testKit({ name: 'api-gateway', config: {} });
  const { store, close } = createLimitStore({ burstSeconds: 60, log, registry, ...options });
  closing.push(close);
  const accepts = async (limits: { readonly tenantId: TenantId; readonly rateLimit: number; readonly subject?: string; readonly keyRateLimit?: number }) => {
    const { totalHits } = await store.increment(limitKey({ subject: '', keyRateLimit: null, ...limits }));
    return totalHits <= Math.min(limits.rateLimit, limits.keyRateLimit ?? Infinity);
  };
  const countedLocally = async () => (await registry.getSingleMetric('switchboard_gateway_limit_local_total')?.get())?.values[0]?.value;
  return { accepts, countedLocally, increment: store.increment.bind(store) };
}

const newTenant = () => tenantIdSchema.parse(newId('req'));
const redis = testRedis();

/** The same promises, wherever it is counted. A busy machine is not a Redis that is away: what is shown here is the counting. */
const places = [['this process', undefined] as const, ...(redis === undefined ? [] : [['Redis', redis.url] as const])];
describe.each(places)('a limit counted in %s', (_, redisUrl) => {
  let now = Date.parse('2026-11-21T12:00:00Z');
  const gateway = async () => await connected(gatewayWith({ redisUrl, redisTimeoutMs: 10_000, now: () => now }));

  it("gives a minute's worth at once, each tenant its own, and again a minute later", async () => {
    const { accepts } = await gateway();
    const [acme, globex] = [newTenant(), newTenant()];
    const batch = async (tenantId: TenantId) => {
      let accepted = 0;
      for (let i = 0; i < 12; i++) if (await accepts({ tenantId, rateLimit: 10 })) accepted++;
      return accepted;
    };
    expect([await batch(acme), await batch(acme), await batch(globex)]).toEqual([10, 0, 10]);
    now += 60_000;
    expect([await batch(acme), await batch(globex)]).toEqual([10, 10]);
  });

  it("counts a key with a limit of its own in the tenant's too, and what either refuses in neither", async () => {
    const { accepts } = await gateway();
    const tenantId = newTenant();
    const byKey = () => accepts({ tenantId, rateLimit: 10, subject: 'key_small', keyRateLimit: 4 });
    const answers = [];
    for (let i = 0; i < 8; i++) answers.push(await byKey());
    expect(answers).toEqual([true, true, true, true, false, false, false, false]);
    for (let i = 0; i < 6; i++) expect(await accepts({ tenantId, rateLimit: 10 })).toBe(true);
    expect(await accepts({ tenantId, rateLimit: 10 })).toBe(false);
  });

  it('takes a changed limit at once', async () => {
    const { accepts } = await gateway();
    const tenantId = newTenant();
    for (let i = 0; i < 5; i++) await accepts({ tenantId, rateLimit: 5 });
    expect(await accepts({ tenantId, rateLimit: 5 })).toBe(false);
    expect(await accepts({ tenantId, rateLimit: 10 })).toBe(true);
    expect(await accepts({ tenantId, rateLimit: 3 })).toBe(false);
  });

  it('says what is left and when', async () => {
    const { increment } = await gateway();
    const key = limitKey({ tenantId: newTenant(), subject: '', rateLimit: 10, keyRateLimit: null });
    for (const used of [1, 2, 3]) {
      const { totalHits, resetTime } = await increment(key);
      expect(totalHits).toBe(used);
      expect(Math.abs((resetTime?.getTime() ?? 0) - Date.now() - 60_000)).toBeLessThan(5_000);
    }
  });
});

(redis === undefined ? describe.skip : describe)('several gateways at one Redis', () => {
  it.each([1, 3, 5].flatMap((count) => [0.9, 1, 1.2, 2].map((load) => [count, load] as const)))('%d of them accept %d times the rate within a hundredth of the allowance, over minutes and halves of minutes', async (count, load) => {
    let now = Date.parse('2026-11-21T12:00:00Z');
    const gateways = await Promise.all(Array.from({ length: count }, () => connected(gatewayWith({ redisUrl: redis!.url, redisTimeoutMs: 10_000, now: () => now }))));
    const perMinute = 300;
    const [acme, globex] = [newTenant(), newTenant()];
    const started = now;
    const accepted = { acme: 0, globex: 0 };
    const shares: number[] = [];
    for (let sent = 1; sent <= perMinute * load * 3.5; sent++) {
      now = started + (sent * 60_000) / (perMinute * load);
      const gateway = gateways[sent % count]!;
      const [ofAcme, ofGlobex] = await Promise.all([gateway.accepts({ tenantId: acme, rateLimit: perMinute }), sent % 10 === 0 && gateway.accepts({ tenantId: globex, rateLimit: perMinute })]);
      if (ofAcme) accepted.acme++;
      if (ofGlobex) accepted.globex++;
      if (sent % Math.floor(perMinute * load * 0.5) === 0 && sent >= perMinute * load) shares.push(accepted.acme / (Math.min(1, load) * perMinute * ((now - started) / 60_000)));
    }
    expect(shares).toHaveLength(6);
    expect(Math.min(...shares)).toBeGreaterThan(0.99);
    expect(Math.max(...shares)).toBeLessThan(1.01);
    // The other tenant never notices.
    expect(accepted.globex).toBe(Math.floor((perMinute * load * 3.5) / 10));
  });

  it('accept exactly the limit of a burst that comes to all of them at once, by the clock of Redis', async () => {
    const gateways = await Promise.all(Array.from({ length: 5 }, () => connected(gatewayWith({ redisUrl: redis!.url, redisTimeoutMs: 10_000 }))));
    const tenantId = newTenant();
    const answers = await Promise.all(Array.from({ length: 500 }, (_, i) => gateways[i % 5]!.accepts({ tenantId, rateLimit: 100 })));
    const accepted = answers.filter(Boolean).length;
    // A slow machine may need longer for the burst than the next request takes to come free.
    expect(accepted).toBeGreaterThanOrEqual(100);
    expect(accepted).toBeLessThanOrEqual(101);
  });
});

describe('Redis away', () => {
  it('is counted locally at once, from the first request on, and said in a metric', async () => {
    const { accepts, countedLocally } = gatewayWith({ redisUrl: 'redis://127.0.0.1:1' });
    expect(await accepted(accepts, 50)).toBe(40);
    expect(await countedLocally()).toBe(50);
  });

  it('is counted locally when it takes connections and never answers', async () => {
    const deaf = await listen(createServer(() => undefined));
    const { accepts } = gatewayWith({ redisUrl: `redis://127.0.0.1:${deaf}` });
    expect(await accepted(accepts, 50)).toBe(40);
  });

});

async function accepted(accepts: ReturnType<typeof gatewayWith>['accepts'], count: number): Promise<number> {
  const tenantId = newTenant();
  let accepted = 0;
  for (let i = 0; i < count; i++) if (await accepts({ tenantId, rateLimit: 40 })) accepted++;
  return accepted;
}

(redis === undefined ? describe.skip : describe)('Redis that falls silent', () => {
  it('costs one request a second its wait, and counts again when it is back', async () => {
    const { url, silence } = await proxyTo(redis!.url);
    const { accepts, countedLocally } = await connected(gatewayWith({ redisUrl: url }));
    const before = (await countedLocally()) ?? 0;
    silence(true);
    const startedMs = performance.now();
    expect(await accepted(accepts, 50)).toBe(40);
    // Asking it each time would take 50 × 50 ms.
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    expect(((await countedLocally()) ?? 0) - before).toBe(50);
    silence(false);
    const heard = await connected({ accepts, countedLocally });
    expect(await accepted(heard.accepts, 50)).toBe(40);
  });
});

async function listen(server: Server): Promise<number> {
  closing.push(async () => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** A way to Redis that can fall silent: what is sent meanwhile is late, not lost. */
async function proxyTo(redisUrl: string) {
  const target = new URL(redisUrl);
  const answers: Socket[] = [];
  const port = await listen(
    createServer((client) => {
      const server = connect(Number(target.port), target.hostname);
      answers.push(server);
      client.pipe(server).pipe(client);
      for (const socket of [client, server]) socket.on('error', () => undefined);
      closing.push(async () => void client.destroy());
    }),
  );
  return { url: `redis://127.0.0.1:${port}`, silence: (isSilent: boolean) => answers.forEach((socket) => (isSilent ? socket.pause() : socket.resume())) };
}

/** Until its Redis counts: before, each gateway counts for itself; that is the stated behaviour and not what is counted here. */
async function connected<Gateway extends Pick<ReturnType<typeof gatewayWith>, 'accepts' | 'countedLocally'>>(gateway: Gateway): Promise<Gateway> {
  for (let attempt = 0; attempt < 500; attempt++) {
    const before = (await gateway.countedLocally()) ?? 0;
    await gateway.accepts({ tenantId: newTenant(), rateLimit: 10 });
    if (((await gateway.countedLocally()) ?? 0) === before) return gateway;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('the gateway never counted in Redis');
}
