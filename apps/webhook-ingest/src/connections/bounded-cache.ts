export interface BoundedCache<Key, Value> {
  /** Undefined when absent or too old. */
  find(key: Key): Value | undefined;
  put(key: Key, value: Value, keepMs: number): void;
  remove(key: Key): void;
  clear(): void;
  /** The longest unused first; those too old left out. */
  values(): IterableIterator<Value>;
}

/** Values that may be forgotten at any time: bounded in number (the longest unused goes first) and in age. `now` in milliseconds. */
export function createBoundedCache<Key, Value>(keptMax: number, now: () => number): BoundedCache<Key, Value> {
  const kept = new Map<Key, { readonly value: Value; readonly until: number }>();
  return {
    find(key) {
      const entry = kept.get(key);
      if (entry === undefined) return undefined;
      kept.delete(key);
      if (entry.until <= now()) return undefined;
      kept.set(key, entry);
      return entry.value;
    },
    put(key, value, keepMs) {
      kept.delete(key);
      kept.set(key, { value, until: now() + keepMs });
      if (kept.size <= keptMax) return;
      const { value: oldest } = kept.keys().next() as IteratorYieldResult<Key>; // there is one: the map is over its bound
      kept.delete(oldest);
    },
    remove: (key) => void kept.delete(key),
    clear: () => kept.clear(),
    *values() {
      for (const { value, until } of kept.values()) if (until > now()) yield value;
    },
  };
}
