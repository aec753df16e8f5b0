import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { createLaneSchedule } from './lane-schedule.ts';

type Item = { id: number; lane: string; tenantId: string };

describe('the lane schedule', () => {
  it('runs one item of a lane at a time, in order, each once, within the limits, whatever ends or is held when', () => {
    const items = fc.array(fc.record({ tenant: fc.integer({ min: 0, max: 3 }), lane: fc.integer({ min: 0, max: 4 }) }), { maxLength: 80 });
    const limits = fc.record({ concurrency: fc.integer({ min: 1, max: 6 }), tenantConcurrency: fc.integer({ min: 1, max: 4 }) });
    fc.assert(
      fc.property(items, limits, fc.infiniteStream(fc.nat()), (specs, limit, choices) => {
        const schedule = createLaneSchedule<Item>(limit);
        const choose = (count: number): number => (choices.next().value ?? 0) % count;
        const running: Item[] = [];
        const held: Item[] = [];
        const finished: Item[] = [];
        const broken: string[] = [];
        let added = 0;
        while (finished.length < specs.length) {
          const spec = specs[added];
          if (spec !== undefined && choose(2) === 0) schedule.add({ id: added++, tenantId: `t${spec.tenant}`, lane: `t${spec.tenant} ${spec.lane}` });
          const item = schedule.next();
          if (item !== undefined) {
            if (running.some(({ lane }) => lane === item.lane)) broken.push(`two of lane ${item.lane}`);
            running.push(item);
            if (running.length > limit.concurrency) broken.push('too many');
            if (running.filter(({ tenantId }) => tenantId === item.tenantId).length > limit.tenantConcurrency) broken.push(`too many of ${item.tenantId}`);
          }
          if (running.length > 0 && choose(3) > 0) {
            const [ending] = running.splice(choose(running.length), 1);
            if (ending === undefined) continue;
            if (choose(5) === 0) {
              schedule.hold(ending);
              held.push(ending);
            } else {
              schedule.finish(ending);
              finished.push(ending);
            }
          }
          if (held.length > 0 && choose(2) === 0) {
            const [released] = held.splice(choose(held.length), 1);
            if (released !== undefined) schedule.release(released);
          }
        }
        expect(broken).toEqual([]);
        expect(schedule.next()).toBeUndefined();
        const byLane = Map.groupBy(finished, ({ lane }) => lane);
        for (const done of byLane.values()) expect(done.map(({ id }) => id)).toEqual(done.map(({ id }) => id).toSorted((a, b) => a - b));
      }),
    );
  });

  it('gives a tenant with one item its turn before the second turn of a tenant with hundreds', () => {
    const schedule = createLaneSchedule<Item>({ concurrency: 1, tenantConcurrency: 1 });
    for (let id = 0; id < 300; id++) schedule.add({ id, tenantId: 'loud', lane: `loud ${id}` });
    const first = schedule.next();
    schedule.add({ id: 300, tenantId: 'quiet', lane: 'quiet 1' });
    if (first !== undefined) schedule.finish(first);
    expect([first?.tenantId, schedule.next()?.tenantId]).toEqual(['loud', 'quiet']);
  });

  it('gives a tenant all its places while it is alone, and half of them beside another', () => {
    const schedule = createLaneSchedule<Item>({ concurrency: 100, tenantConcurrency: 8 });
    let id = 0;
    const runAll = (): Item[] => {
      const started: Item[] = [];
      for (let item = schedule.next(); item !== undefined; item = schedule.next()) started.push(item);
      return started;
    };
    const add = (tenantId: string): void => {
      id++;
      schedule.add({ id, tenantId, lane: `${tenantId} ${id}` });
    };
    for (let count = 0; count < 600; count++) add('loud');
    let running = runAll();
    expect(running).toHaveLength(8);
    add('quiet');
    for (const item of running) schedule.finish(item);
    running = runAll();
    expect(running.map(({ tenantId }) => tenantId).toSorted()).toEqual(['loud', 'loud', 'loud', 'loud', 'quiet']);
    for (let turn = 0; turn < 60; turn++) {
      for (const item of running) schedule.finish(item);
      running = runAll();
    }
    expect(running).toHaveLength(8);
  });
});
