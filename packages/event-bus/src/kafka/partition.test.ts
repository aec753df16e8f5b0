import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { partitionOf, sliceOf } from './partition.ts';

const text = fc.string({ minLength: 1, maxLength: 40 });
const count = fc.integer({ min: 1, max: 200 });

describe('partitionOf', () => {
  it('answers the same for the same tenant, key and topic size, within the topic', () => {
    fc.assert(
      fc.property(text, text, count, (tenant, key, partitions) => {
        const partition = partitionOf(tenant, key, partitions);
        expect(partition).toBe(partitionOf(tenant, key, partitions));
        expect(Number.isInteger(partition)).toBe(true);
        expect(partition).toBeGreaterThanOrEqual(0);
        expect(partition).toBeLessThan(partitions);
      }),
    );
  });

  it('keeps a tenant within its slice, whatever the keys', () => {
    fc.assert(
      fc.property(text, fc.array(text, { maxLength: 200 }), count, (tenant, keys, partitions) => {
        const used = new Set(keys.map((key) => partitionOf(tenant, key, partitions)));
        expect(used.size).toBeLessThanOrEqual(sliceOf(partitions));
      }),
    );
  });

  it('never moves: a key that changed its partition would be read in two orders', () => {
    expect([partitionOf('acme', 'cnv_1', 12), partitionOf('acme', 'cnv_2', 12), partitionOf('globex', 'cnv_1', 12), partitionOf('acme', 'cnv_1', 3)]).toEqual([11, 1, 7, 1]);
  });

  it('spreads tenants over the topic and keys over the slice', () => {
    const partitions = 12;
    const perPartition = new Array<number>(partitions).fill(0);
    for (let tenant = 0; tenant < 1_000; tenant++) {
      const keys = new Set<number>();
      for (let key = 0; key < 40; key++) {
        const partition = partitionOf(`tenant-${tenant}`, `cnv_${key}`, partitions);
        perPartition[partition] = (perPartition[partition] ?? 0) + 1;
        keys.add(partition);
      }
      expect(keys.size).toBe(sliceOf(partitions));
    }
    const fair = (1_000 * 40) / partitions;
    for (const records of perPartition) {
      expect(records).toBeGreaterThan(fair * 0.8);
      expect(records).toBeLessThan(fair * 1.2);
    }
  });
});
