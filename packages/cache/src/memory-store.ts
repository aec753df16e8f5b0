import type { CacheEntry, CacheScope, CacheStore, Mark } from './port.ts';

/** Values in this process, by reference: the object that was put is the object that is found. */
export interface MemoryStore extends CacheStore {
  get(scope: CacheScope, key: string): unknown;
  mark(): Mark;
  put(entry: CacheEntry): void;
  forget(scope: CacheScope, key: string): void;
  forgetAll(scope: CacheScope): void;
  /** Values kept, those that are too old included. */
  readonly size: number;
  /** What they count together, where values are weighed. */
  readonly bytes: number;
}

type Kept = { readonly scope: CacheScope; readonly key: string; readonly value: unknown; readonly bytes: number; readonly until: number; older: Kept | undefined; newer: Kept | undefined };

export type MemoryStoreOptions = {
  readonly entriesMax: number;
  /** For values of very different sizes: how much one takes, and how much all may. */
  readonly weight?: { readonly bytesMax: number; readonly bytesOf: (value: unknown) => number };
  /** In milliseconds. */
  readonly now?: () => number;
};

/** At most `entriesMax` values, and no more than may be in weight; the oldest make room for the newest. One that is heavier than all may be is not kept. */
export function createMemoryStore({ entriesMax, weight, now = Date.now }: MemoryStoreOptions): MemoryStore {
  const scopes = new Map<CacheScope, Map<string, Kept>>();
  // All values in the order they were put, as a list through themselves: finding one is two maps, taking one out is no search.
  let oldest: Kept | undefined;
  let newest: Kept | undefined;
  let size = 0;
  let bytes = 0;
  // Of all scopes together: what was under way anywhere when something was forgotten is loaded once more, which costs little.
  let generation = 0;

  function remove(kept: Kept | undefined): void {
    if (kept === undefined) return;
    const { scope, key, older, newer } = kept;
    if (older === undefined) oldest = newer;
    else older.newer = newer;
    if (newer === undefined) newest = older;
    else newer.older = older;
    size--;
    bytes -= kept.bytes;
    const ofScope = scopes.get(scope);
    ofScope?.delete(key);
    // No entry at rest: tenants come and go, the map must not grow.
    if (ofScope?.size === 0) scopes.delete(scope);
  }

  function put({ scope, key, value, keptForMs, mark }: CacheEntry): void {
    if (mark !== generation || keptForMs <= 0) return;
    remove(scopes.get(scope)?.get(key));
    const own = weight?.bytesOf(value) ?? 0;
    const bytesMax = weight?.bytesMax ?? 0;
    if (own > bytesMax) return;
    while (oldest !== undefined && (size >= entriesMax || bytes + own > bytesMax)) remove(oldest);
    const kept: Kept = { scope, key, value, bytes: own, until: now() + keptForMs, older: newest, newer: undefined };
    if (newest === undefined) oldest = kept;
    else newest.newer = kept;
    newest = kept;
    size++;
    bytes += own;
    let ofScope = scopes.get(scope);
    if (ofScope === undefined) scopes.set(scope, (ofScope = new Map()));
    ofScope.set(key, kept);
  }

  return {
    put,
    get(scope, key) {
      const kept = scopes.get(scope)?.get(key);
      if (kept === undefined) return undefined;
      if (kept.until > now()) return kept.value;
      remove(kept);
      return undefined;
    },
    mark: () => generation,
    forget(scope, key) {
      generation++;
      remove(scopes.get(scope)?.get(key));
    },
    forgetAll(scope) {
      generation++;
      for (const kept of scopes.get(scope)?.values() ?? []) remove(kept);
    },
    get size() {
      return size;
    },
    get bytes() {
      return bytes;
    },
    close: async () => {
      scopes.clear();
      oldest = newest = undefined;
      size = bytes = 0;
    },
  };
}
