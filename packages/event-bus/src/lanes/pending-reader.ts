import type { PendingRow, PendingStore } from './pending-store.ts';

export type PendingReaderOptions = {
  readonly store: PendingStore;
  readonly groups: () => readonly string[];
  /** Items in memory of a tenant. */
  readonly itemsOf: (tenantId: string) => number;
  readonly isKnown: (id: number) => boolean;
  readonly take: (row: PendingRow) => void;
};

const batchMax = 1_000;
/** Beyond this a tenant's envelopes stay in the database: memory is for everybody. */
const envelopesPerTenantMax = 300;
/** Beyond this a tenant's rows are not even remembered (about 200 bytes each); they are read again when half of them are through. */
const rowsPerTenantMax = 20_000;
/** A missing id is either not committed yet or rolled back; asked for again this long, then left to the sweep. */
const gapAgeMsMax = 10_000;
const gapsMax = 1_000;
/** At the first reading nearly all ids below are history; a transaction that is open just then may hold one of the last. */
const firstGapsMax = 200;
const sweepRowsMax = 100_000;

/**
 * Reads each pending row once, in the order of ids, without claiming it: there is one reader (see leader-connection.ts). Ids are drawn
 * before they are committed, so a lower one may appear after a higher one: holes are remembered and asked for again, as many as `gapsMax`,
 * and a sweep finds what was overlooked; `take` may get a lower id after a higher one, and puts it in its place. Calls must not overlap.
 */
export function createPendingReader({ store, groups, itemsOf, isKnown, take }: PendingReaderOptions): PendingReader {
  let cursor = 0;
  const gaps = new Map<number, number>();
  const crowded = new Set<string>();
  /** Tenants with rows that are not remembered, and after which id. */
  const overflow = new Map<string, number>();
  let removed: Set<number> | undefined;
  let overlooked = false;
  /** Until a reading has caught up, nearly all missing ids are history, also those between old rows that still wait. */
  let isHistory = true;

  function offer(row: PendingRow): void {
    if (isKnown(row.id) || removed?.has(row.id) === true || !groups().includes(row.group)) return;
    const afterId = overflow.get(row.tenantId);
    if (afterId !== undefined && row.id > afterId) return;
    const items = itemsOf(row.tenantId);
    if (items >= rowsPerTenantMax) {
      overflow.set(row.tenantId, row.id - 1);
      return;
    }
    if (items >= envelopesPerTenantMax) crowded.add(row.tenantId);
    take(row);
  }

  function noteGaps(from: number, to: number, now: number): void {
    const kept = Math.max(from, to - gapsMax);
    overlooked ||= kept > from || gaps.size + to - kept > gapsMax;
    for (let id = kept; id < to; id++) if (gaps.size < gapsMax) gaps.set(id, now);
  }

  /** Rows that were read from a snapshot older than a removal must not come back. */
  async function readBack(load: () => Promise<PendingRow[]>): Promise<PendingRow[]> {
    removed = new Set();
    try {
      const rows = await load();
      for (const row of rows) offer(row);
      return rows;
    } finally {
      removed = undefined;
    }
  }

  return {
    async readNew(now) {
      for (const tenantId of crowded) if (itemsOf(tenantId) < envelopesPerTenantMax) crowded.delete(tenantId);
      for (const [id, since] of gaps) if (now - since > gapAgeMsMax) gaps.delete(id);
      const rows = await store.loadNew({ cursor, gaps: [...gaps.keys()], groups: groups(), withoutEnvelopes: [...crowded], limit: batchMax });
      let after = 0;
      overlooked = false;
      const firstGap = isHistory || cursor === 0 ? (rows.at(-1)?.id ?? 0) - firstGapsMax : 0;
      for (const row of rows) {
        if (row.id > cursor) {
          after++;
          const from = Math.max(cursor + 1, firstGap);
          if (from < row.id) noteGaps(from, row.id, now);
          cursor = row.id;
        } else gaps.delete(row.id);
        offer(row);
      }
      if (after < batchMax) isHistory = false;
      return { more: after === batchMax, overlooked };
    },
    async refill() {
      for (const [tenantId, afterId] of overflow) {
        if (itemsOf(tenantId) > rowsPerTenantMax / 2) continue;
        overflow.delete(tenantId);
        const limit = rowsPerTenantMax / 2;
        const rows = await readBack(() => store.loadOfTenant(tenantId, afterId, limit));
        const last = rows.at(-1);
        if (rows.length === limit && last !== undefined && !overflow.has(tenantId)) overflow.set(tenantId, last.id);
      }
    },
    async sweep() {
      await readBack(() => store.loadUpTo(cursor, sweepRowsMax));
    },
    wantsRefill: (tenantId) => overflow.has(tenantId) && itemsOf(tenantId) === rowsPerTenantMax / 2,
    noteRemoved: (id) => removed?.add(id),
    reset() {
      cursor = 0;
      isHistory = true;
      gaps.clear();
      crowded.clear();
      overflow.clear();
    },
  };
}

export interface PendingReader {
  /** Takes what is new. `more`: there is more already. `overlooked`: more holes than are remembered, so a sweep should come soon. */
  readNew(now: number): Promise<{ more: boolean; overlooked: boolean }>;
  /** Reads on for tenants whose rows were too many to remember. */
  refill(): Promise<void>;
  /** Takes what was overlooked, and what belongs to groups that came later. */
  sweep(): Promise<void>;
  /** True at the moment a tenant has few enough left. */
  wantsRefill(tenantId: string): boolean;
  noteRemoved(id: number): void;
  /** Starts over from the first row. */
  reset(): void;
}
