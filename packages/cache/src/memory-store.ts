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
}

type Kept = { readonly value: unknown; readonly scope: CacheScope; readonly until: number };

/** At most `entriesMax` values; the oldest makes room for the newest. `now` in milliseconds. */
export function createMemoryStore({ entriesMax, now = Date.now }: { readonly entriesMax: number; readonly now?: () => number }): MemoryStore {
  const entries = new Map<string, Kept>();
  const byScope = new Map<CacheScope, Set<string>>();
  // Of all scopes together: what was under way anywhere when something was forgotten is loaded once more, which costs little.
  let generation = 0;

  function remove(fullKey: string): void {
    const kept = entries.get(fullKey);
    if (kept === undefined) return;
    entries.delete(fullKey);
    const ofScope = byScope.get(kept.scope);
    ofScope?.delete(fullKey);
    // No entry at rest: tenants come and go, the map must not grow.
    if (ofScope?.size === 0) byScope.delete(kept.scope);
  }

  return {
    get(scope, key) {
      const fullKey = scope + key;
      const kept = entries.get(fullKey);
      if (kept === undefined) return undefined;
      if (kept.until > now()) return kept.value;
      remove(fullKey);
      return undefined;
    },
    mark: () => generation,
    put({ scope, key, value, keptForMs, mark }) {
      if (mark !== generation || keptForMs <= 0) return;
      const fullKey = scope + key;
      remove(fullKey);
      // A map keeps the order of insertion.
      if (entries.size >= entriesMax) for (const [oldest] of entries) {
        remove(oldest);
        break;
      }
      entries.set(fullKey, { value, scope, until: now() + keptForMs });
      let ofScope = byScope.get(scope);
      if (ofScope === undefined) byScope.set(scope, (ofScope = new Set()));
      ofScope.add(fullKey);
    },
    forget(scope, key) {
      generation++;
      remove(scope + key);
    },
    forgetAll(scope) {
      generation++;
      for (const fullKey of byScope.get(scope) ?? []) remove(fullKey);
    },
    get size() {
      return entries.size;
    },
    close: async () => {
      entries.clear();
      byScope.clear();
    },
  };
}
