import { describe, expect, it } from '@jest/globals';
import { createPendingReader, type PendingReader } from './pending-reader.ts';
import type { PendingRow, PendingStore } from './pending-store.ts';

/** A table whose rows become visible when the test says so. */
function tableWith(groups: readonly string[]) {
  const visible = new Map<number, PendingRow>();
  const taken: number[] = [];
  const known = new Set<number>();
  const itemsByTenant = new Map<string, number>();
  let rows: PendingRow[] | undefined;
  const sorted = (): PendingRow[] => (rows ??= [...visible.values()].toSorted((a, b) => a.id - b.id));
  const store: Pick<PendingStore, 'loadNew' | 'loadOfTenant' | 'loadUpTo'> = {
    loadNew: async ({ cursor, gaps, limit }) => [...sorted().filter(({ id }) => gaps.includes(id)), ...sorted().filter(({ id }) => id > cursor).slice(0, limit)].toSorted((a, b) => a.id - b.id),
    loadOfTenant: async (tenantId, afterId, limit) => sorted().filter((row) => row.tenantId === tenantId && row.id > afterId).slice(0, limit),
    loadUpTo: async (cursor, limit) => sorted().filter(({ id }) => id <= cursor).slice(0, limit),
  };
  const reader: PendingReader = createPendingReader({
    // The cast is safe: the reader loads, and the rest of the store is for others.
    store: store as PendingStore,
    groups: () => groups,
    itemsOf: (tenantId) => itemsByTenant.get(tenantId) ?? 0,
    isKnown: (id) => known.has(id),
    take: (row) => {
      known.add(row.id);
      itemsByTenant.set(row.tenantId, (itemsByTenant.get(row.tenantId) ?? 0) + 1);
      taken.push(row.id);
    },
  });
  const commit = (id: number, group = 'g', tenantId = 'acme'): void => {
    rows = undefined;
    visible.set(id, { id, tenantId, group, orderingKey: 'k', attempts: 0, ageMs: 0, waitMs: 0, envelope: {} });
  };
  const settle = (id: number): void => {
    rows = undefined;
    const tenantId = visible.get(id)?.tenantId ?? '';
    visible.delete(id);
    known.delete(id);
    itemsByTenant.set(tenantId, (itemsByTenant.get(tenantId) ?? 0) - 1);
    reader.noteRemoved(id);
  };
  return { reader, taken, commit, settle, store };
}

describe('the reader of pending events', () => {
  it('takes each row once, however often it reads', async () => {
    const { reader, taken, commit } = tableWith(['g']);
    commit(1);
    commit(2);
    await reader.readNew(0);
    commit(3);
    await reader.readNew(1);
    await reader.readNew(2);
    await reader.sweep();
    expect(taken).toEqual([1, 2, 3]);
  });

  it('takes a row whose transaction committed after one with a higher id', async () => {
    const { reader, taken, commit } = tableWith(['g']);
    commit(1);
    await reader.readNew(0);
    commit(4);
    await reader.readNew(1);
    commit(2);
    await reader.readNew(2);
    expect(taken).toEqual([1, 4, 2]);
  });

  it('takes a row that was not committed yet at the first reading, though a higher one was', async () => {
    const { reader, taken, commit } = tableWith(['g']);
    commit(602);
    await reader.readNew(0);
    commit(601);
    await reader.readNew(1);
    expect(taken).toEqual([602, 601]);
  });

  it('does not take the ids between old rows that still wait for holes: they would leave no room for real ones', async () => {
    const { reader, taken, commit } = tableWith(['g']);
    commit(1);
    commit(5_000);
    expect(await reader.readNew(0)).toEqual({ more: false, overlooked: false });
    commit(5_002);
    expect(await reader.readNew(1)).toEqual({ more: false, overlooked: false });
    commit(5_001);
    await reader.readNew(2);
    expect(taken).toEqual([1, 5_000, 5_002, 5_001]);
  });

  it('finds by a sweep what committed too late to be remembered as a hole', async () => {
    const { reader, taken, commit } = tableWith(['g']);
    commit(1);
    await reader.readNew(0);
    commit(3);
    await reader.readNew(1);
    await reader.readNew(60_000);
    commit(2);
    await reader.readNew(60_001);
    expect(taken).toEqual([1, 3]);
    await reader.sweep();
    expect(taken).toEqual([1, 3, 2]);
  });

  it('says when there are more holes than it remembers', async () => {
    const { reader, commit } = tableWith(['g']);
    commit(1);
    expect(await reader.readNew(0)).toEqual({ more: false, overlooked: false });
    commit(500);
    expect((await reader.readNew(1)).overlooked).toBe(false);
    commit(1_500);
    expect((await reader.readNew(2)).overlooked).toBe(true);
    commit(1_501);
    expect((await reader.readNew(3)).overlooked).toBe(false);
  });

  it('leaves rows of groups nobody here consumes, and takes them when somebody does', async () => {
    const groups = ['g'];
    const { reader, taken, commit } = tableWith(groups);
    commit(1, 'other');
    commit(2);
    await reader.readNew(0);
    expect(taken).toEqual([2]);
    groups.push('other');
    await reader.sweep();
    expect(taken).toEqual([2, 1]);
  });

  it('does not bring back a row that was settled while the sweep was reading', async () => {
    const { reader, taken, commit, settle, store } = tableWith(['g']);
    commit(1);
    await reader.readNew(0);
    const load = store.loadUpTo;
    store.loadUpTo = async (cursor, limit) => {
      const rows = await load(cursor, limit);
      settle(1);
      return rows;
    };
    await reader.sweep();
    expect(taken).toEqual([1]);
  });

  it('reads on for a tenant whose backlog is too deep to remember, while others are read at once', async () => {
    const { reader, taken, commit, settle } = tableWith(['g']);
    for (let id = 1; id <= 20_500; id++) commit(id);
    commit(20_501, 'g', 'globex');
    for (let more = true; more; ) ({ more } = await reader.readNew(0));
    expect(taken).toHaveLength(20_001);
    expect(taken.at(-1)).toBe(20_501);
    for (let id = 1; id <= 10_000; id++) settle(id);
    await reader.refill();
    expect(new Set(taken).size).toBe(20_501);
  });
});
