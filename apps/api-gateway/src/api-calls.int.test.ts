import { afterEach, describe, expect, it } from '@jest/globals';
import { hubError, newId, tenantIdSchema, type BodyOf, type recordApiCalls } from '@switchboard/contracts';
import { testKit } from '@switchboard/service-kit/testing';
import { testRedis } from '@switchboard/testing';
import { createClient } from 'redis';
import { createApiCalls } from './api-calls.ts';
import { createCallJournal, type CallJournal } from './call-journal.ts';

type Batch = BodyOf<typeof recordApiCalls>;
const [acme, globex] = [tenantIdSchema.parse('acme'), tenantIdSchema.parse('globex')];
const redis = testRedis();
const leftAfterDefaultMs = 300;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** Gateways at one Redis, before a tenant-service that takes each batch once, and can be away, also after it has taken one. */
function house(leftAfterMs = leftAfterDefaultMs) {
  const prefix = newId('req');
  const recorded = new Map<string, Batch['calls']>();
  const tenantService: { is: 'there' | 'away' | 'silent' } = { is: 'there' };
  let sent = 0;
  const sum = (tenantId: string) => [...recorded.values()].flat().filter((call) => call.tenantId === tenantId).reduce((total, { count }) => total + count, 0);
  return {
    tenantService,
    sums: () => [sum(acme), sum(globex)],
    repetitions: () => sent - recorded.size,
    total: () => [...recorded.values()].flat().reduce((total, { count }) => total + count, 0),
    async keys() {
      const client = createClient({ url: redis?.url ?? '' });
      await client.connect();
      const found = await client.keys(`{${prefix}}*`);
      client.destroy();
      return found;
    },
    /** `isCutOff` from tenant-service, alone. */
    async gateway(isCutOff = () => false) {
      const kit = testKit({
        name: 'api-gateway',
        config: {},
        answer: ({ input }) => {
          const { batchId, calls } = input.body as Batch;
          if (tenantService.is === 'away' || isCutOff()) throw hubError('service.unavailable');
          sent++;
          if (!recorded.has(batchId)) recorded.set(batchId, calls);
          if (tenantService.is === 'silent') throw hubError('service.timeout');
        },
      });
      const journal = createCallJournal({ url: redis?.url ?? '', leftAfterMs, prefix, onError: () => undefined });
      closing.push(() => journal.connection() > 0 && journal.close());
      while (journal.connection() === 0) await sleep(5);
      const apiCalls = createApiCalls({ ...kit, journal });
      return {
        ...apiCalls,
        /** `count` calls that are let in one after the other, as requests are: each answered in a later turn. */
        async take(tenantId: typeof acme, count: number) {
          for (let i = 0; i < count; i++) {
            apiCalls.count(tenantId);
            await sleep(1);
          }
        },
        /** As kill -9: what it has in memory is gone. */
        kill: () => journal.close(),
      };
    },
  };
}

/** Until what was left behind counts as left, and then it is looked for by all of them at once. */
async function takeOver(...gateways: { takeOver(): Promise<void> }[]): Promise<void> {
  await sleep(leftAfterDefaultMs + 100);
  await Promise.all(gateways.map((gateway) => gateway.takeOver()));
}

(redis === undefined ? describe.skip : describe)('API calls counted by several gateways', () => {
  it('arrive exactly when one is killed before it has sent them', async () => {
    const { gateway, sums } = house();
    const [one, other, third] = [await gateway(), await gateway(), await gateway()];
    await Promise.all([one.take(acme, 40), other.take(acme, 25), other.take(globex, 5)]);
    other.kill();
    await one.take(globex, 3);
    await one.flush();
    expect(sums()).toEqual([40, 3]);
    await takeOver(one, third);
    expect(sums()).toEqual([65, 8]);
    await takeOver(one, third);
    expect(sums()).toEqual([65, 8]);
  });

  it('arrive exactly when one is killed while what it sends is recorded and its answer lost, and when tenant-service is away for a while', async () => {
    const { gateway, sums, tenantService, repetitions } = house();
    const [one, other] = [await gateway(), await gateway()];
    tenantService.is = 'silent';
    await other.take(acme, 10);
    await other.flush();
    await other.take(acme, 7);
    await one.take(globex, 2);
    tenantService.is = 'away';
    for (const each of [one, other]) await each.flush();
    await other.take(globex, 4);
    other.kill();
    await takeOver(one);
    await one.take(acme, 1);
    await one.flush();
    tenantService.is = 'there';
    await one.take(acme, 1);
    await takeOver(one);
    await one.stop();
    expect(sums()).toEqual([19, 6]);
    expect(repetitions()).toBeGreaterThan(0);
  });

  it('are left to a gateway that cannot send them as long as it has them', async () => {
    const { gateway, sums } = house(2_000);
    let isCutOff = true;
    const [one, other] = [await gateway(() => isCutOff), await gateway()];
    one.start();
    for (let round = 1; round <= 4; round++) {
      await one.take(acme, 1);
      await sleep(900);
      await other.takeOver();
      expect(sums()).toEqual([0, 0]);
    }
    isCutOff = false;
    await one.stop();
    expect(sums()).toEqual([4, 0]);
  });

  it('of more tenants than one batch holds arrive too, and leave nothing in Redis', async () => {
    const { gateway, total, keys } = house();
    const [one, other] = [await gateway(), await gateway()];
    for (let i = 0; i < 6_000; i++) one.count(tenantIdSchema.parse(`tenant-${i}`));
    await sleep(200);
    one.kill();
    expect((await keys()).length).toBeGreaterThan(0);
    await takeOver(other);
    expect(total()).toBe(6_000);
    expect(await keys()).toEqual([]);
  });
});

describe('a journal that has forgotten what it was told', () => {
  it('is told all of it when it is there again', async () => {
    const kept = new Map<string, number>();
    let connection = 1;
    const journal: CallJournal = {
      keep: async (_, counts) => {
        for (const [field, count] of counts) kept.set(field.replace(/^\d+ /, ''), count);
      },
      forget: async () => undefined,
      findLeft: async () => [],
      connection: () => connection,
      close: () => undefined,
    };
    const away = () => {
      throw hubError('service.unavailable');
    };
    const apiCalls = createApiCalls({ ...testKit({ name: 'api-gateway', config: {}, answer: away }), journal });
    closing.push(() => void apiCalls.stop());
    apiCalls.start();
    apiCalls.count(acme);
    await sleep(20);
    expect([...kept]).toEqual([[acme, 1]]);
    connection = 0;
    kept.clear();
    apiCalls.count(globex);
    await sleep(1_100);
    expect([...kept]).toEqual([]);
    connection = 2;
    await sleep(1_100);
    expect([...kept].toSorted()).toEqual([[acme, 1], [globex, 1]]);
  });
});
