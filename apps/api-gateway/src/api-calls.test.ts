import { describe, expect, it } from '@jest/globals';
import { hubError, tenantIdSchema, type BodyOf, type recordApiCalls } from '@switchboard/contracts';
import { testKit } from '@switchboard/service-kit/testing';
import { createApiCalls } from './api-calls.ts';

type Batch = BodyOf<typeof recordApiCalls>;
const [acme, globex] = [tenantIdSchema.parse('acme'), tenantIdSchema.parse('globex')];

/** Counting before a tenant-service that records a batch once, and may lose its answers. */
function counting(answers: (() => void)[] = []) {
  let nowMs = Date.parse('2026-11-30T23:59:58Z');
  const recorded = new Map<string, Batch['calls']>();
  const kit = testKit({
    name: 'api-gateway',
    config: {},
    now: () => new Date(nowMs),
    answer: ({ input }) => {
      const { batchId, calls } = input.body as Batch;
      answers.at(0)?.();
      recorded.set(batchId, calls);
      answers.shift()?.();
    },
  });
  const sum = (tenantId: string) => [...recorded.values()].flat().filter((call) => call.tenantId === tenantId).reduce((total, { count }) => total + count, 0);
  return { apiCalls: createApiCalls(kit), recorded, sum, calls: kit.calls, pass: (ms: number) => (nowMs += ms) };
}

describe('API calls', () => {
  it('are recorded for each tenant, once', async () => {
    const { apiCalls, sum } = counting();
    for (let i = 0; i < 3; i++) apiCalls.count(acme);
    apiCalls.count(globex);
    await apiCalls.flush();
    await apiCalls.flush();
    expect([sum(acme), sum(globex)]).toEqual([3, 1]);
  });

  it('are sent again under the same name until they are answered, and what was counted meanwhile after them', async () => {
    let attempts = 0;
    const lose = () => {
      if (attempts++ % 2 === 1) throw hubError('service.unavailable');
    };
    const { apiCalls, sum, recorded, calls } = counting([lose, lose]);
    apiCalls.count(acme);
    await apiCalls.flush();
    apiCalls.count(acme);
    apiCalls.count(globex);
    await apiCalls.flush();
    await apiCalls.stop();
    expect([sum(acme), sum(globex)]).toEqual([2, 1]);
    expect(calls.length).toBeGreaterThan(recorded.size);
  });

  it('are of the month in which they were made, whenever they are sent', async () => {
    const { apiCalls, recorded, pass } = counting();
    apiCalls.count(acme);
    pass(5_000);
    apiCalls.count(acme);
    await apiCalls.flush();
    expect([...recorded.values()].flat()).toEqual([
      { tenantId: acme, count: 1, at: '2026-11-30T23:45:00.000Z' },
      { tenantId: acme, count: 1, at: '2026-12-01T00:00:00.000Z' },
    ]);
  });

  it('of ten thousand tenants fit into batches', async () => {
    const { apiCalls, recorded } = counting();
    for (let i = 0; i < 10_001; i++) apiCalls.count(tenantIdSchema.parse(`tenant-${i}`));
    await apiCalls.stop();
    expect([...recorded.values()].map(({ length }) => length)).toEqual([5_000, 5_000, 1]);
  });
});
