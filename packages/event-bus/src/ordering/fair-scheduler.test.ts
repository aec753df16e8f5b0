import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { createFairScheduler, type WorkResult } from './fair-scheduler.ts';

/** Work whose end the test chooses. */
function harness(limits: { concurrency: number; tenantConcurrency: number }) {
  const scheduler = createFairScheduler(limits);
  const open: { tenantId: string; lane: string; seq: number; end: (result?: WorkResult) => void }[] = [];
  const started: { tenantId: string; lane: string; seq: number }[] = [];
  let seq = 0;
  return {
    scheduler,
    open,
    started,
    add(tenantId: string, lane: string, id?: number) {
      const item = { tenantId, lane, seq: id ?? seq++ };
      scheduler.add({
        id,
        tenantId,
        lane,
        run: () => {
          started.push(item);
          return new Promise<WorkResult>((resolve) => open.push({ ...item, end: (result) => resolve(result) }));
        },
      });
    },
    async end(index: number, result?: WorkResult) {
      const [ended] = open.splice(index, 1);
      ended?.end(result);
      await settle();
    },
  };
}

/** Lets all promise reactions run. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('createFairScheduler', () => {
  it('runs everything, serial and in order in each lane, within both caps, whatever ends first', async () => {
    const works = fc.array(fc.record({ tenantId: fc.constantFrom('a', 'b', 'c'), lane: fc.constantFrom('1', '2', '3', '4') }), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(works, fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 4 }), fc.infiniteStream(fc.nat()), async (items, concurrency, tenantConcurrency, picks) => {
        const h = harness({ concurrency, tenantConcurrency });
        for (const { tenantId, lane } of items) h.add(tenantId, lane);
        while (h.open.length > 0) {
          expect(h.open.length).toBeLessThanOrEqual(concurrency);
          for (const tenant of ['a', 'b', 'c']) expect(h.open.filter((work) => work.tenantId === tenant).length).toBeLessThanOrEqual(tenantConcurrency);
          expect(new Set(h.open.map((work) => `${work.tenantId} ${work.lane}`)).size).toBe(h.open.length);
          await h.end((picks.next().value as number) % h.open.length);
        }
        expect(h.started.length).toBe(items.length);
        const lastOfLane = new Map<string, number>();
        for (const work of h.started) {
          const lane = `${work.tenantId} ${work.lane}`;
          expect(work.seq).toBeGreaterThan(lastOfLane.get(lane) ?? -1);
          lastOfLane.set(lane, work.seq);
        }
        expect(h.scheduler.running).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it('gives a tenant with one lane its turn after at most one round, though another has a thousand lanes waiting', async () => {
    const h = harness({ concurrency: 4, tenantConcurrency: 3 });
    for (let lane = 0; lane < 1_000; lane++) h.add('flood', `f${lane}`);
    h.add('small', 'only');
    expect(h.started.filter((work) => work.tenantId === 'small')).toHaveLength(1);
    h.add('third', 'only');
    await h.end(0);
    expect(h.started.at(-1)?.tenantId).toBe('third');
  });

  it('uses all slots for the tenants that are there', () => {
    const h = harness({ concurrency: 10, tenantConcurrency: 8 });
    for (const tenant of ['a', 'b', 'c']) for (let lane = 0; lane < 8; lane++) h.add(tenant, `${lane}`);
    expect(h.scheduler.running).toBe(10);
  });

  it('holds the lane, not the slot, of work that wants to run again', async () => {
    const h = harness({ concurrency: 1, tenantConcurrency: 1 });
    h.add('a', 'failing');
    h.add('a', 'failing');
    h.add('a', 'other');
    await h.end(0, { againAfterMs: 5 });
    expect(h.started.map((work) => work.lane)).toEqual(['failing', 'other']);
    await h.end(0);
    await new Promise((resolve) => setTimeout(resolve, 15));
    expect(h.started.map((work) => work.seq)).toEqual([0, 2, 0]);
    await h.end(0);
    expect(h.started.map((work) => work.seq)).toEqual([0, 2, 0, 1]);
  });

  it('runs what came late in its place, before what has not begun', async () => {
    const h = harness({ concurrency: 1, tenantConcurrency: 1 });
    for (const id of [6, 8, 9, 7]) h.add('a', 'lane', id);
    for (let ended = 0; ended < 4; ended++) await h.end(0);
    expect(h.started.map(({ seq }) => seq)).toEqual([6, 7, 8, 9]);
  });

  it('closes when what runs has ended, and starts nothing more', async () => {
    const h = harness({ concurrency: 2, tenantConcurrency: 2 });
    for (let lane = 0; lane < 5; lane++) h.add('a', `${lane}`);
    let closed = false;
    const closing = h.scheduler.close().then(() => (closed = true));
    await h.end(0);
    expect(closed).toBe(false);
    await h.end(0);
    await closing;
    expect(h.started).toHaveLength(2);
  });
});
