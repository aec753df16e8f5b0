/** Knows which offset of one partition may be committed: everything below it is finished. Offsets are numbers: 2^53 records last for ages. */
export interface OffsetTracker {
  /** A record was taken up. Offsets come ascending. */
  add(offset: number, bytes: number): void;
  /** Its work is done, or stored where it is safe. */
  finish(offset: number): void;
  /** The offset to go on from after a restart: that of the lowest unfinished record, or the one after the last. Undefined before the first record. */
  committable(): number | undefined;
  /** Offset after the highest taken up. Undefined before the first record. */
  readonly next: number | undefined;
  /** Records taken up that are not below the committable offset yet, and their size. */
  readonly held: { readonly records: number; readonly bytes: number };
}

type Entry = { readonly offset: number; readonly bytes: number; finished: boolean };

export function createOffsetTracker(): OffsetTracker {
  // Insertion order is offset order, so the first entry is the lowest.
  const entries = new Map<number, Entry>();
  let next: number | undefined;
  let bytes = 0;

  return {
    add(offset, size) {
      entries.set(offset, { offset, bytes: size, finished: false });
      bytes += size;
      next = offset + 1;
    },
    finish(offset) {
      const entry = entries.get(offset);
      if (entry === undefined) return;
      entry.finished = true;
      for (const head of entries.values()) {
        if (!head.finished) break;
        entries.delete(head.offset);
        bytes -= head.bytes;
      }
    },
    committable() {
      for (const head of entries.values()) return head.offset;
      return next;
    },
    get next() {
      return next;
    },
    get held() {
      return { records: entries.size, bytes };
    },
  };
}
