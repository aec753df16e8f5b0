export interface ShortCache<Value> {
  /** The value kept for `key`, or a fresh one; callers that come while it is being loaded share the load. */
  load(key: string, fresh: () => Promise<{ readonly value: Value; readonly keepMs?: number }>): Promise<Value>;
  /** Forgets `key`; a load that is under way is still answered, but not kept. */
  drop(key: string): void;
}

type Entry<Value> = { readonly value: Promise<Value>; expiresAt: number };

/** Keeps values for `keepMs` at most and `entriesMax` of them, the least recently loaded leave first. Failed loads are not kept. */
export function createShortCache<Value>(options: { readonly keepMs: number; readonly entriesMax: number; readonly now: () => Date }): ShortCache<Value> {
  const entries = new Map<string, Entry<Value>>();
  const now = () => options.now().getTime();

  function start(key: string, fresh: () => Promise<{ readonly value: Value; readonly keepMs?: number }>): Entry<Value> {
    const entry: Entry<Value> = { value: settle(), expiresAt: now() + options.keepMs };
    entries.set(key, entry);
    if (entries.size > options.entriesMax) entries.delete(entries.keys().next().value ?? '');
    return entry;

    async function settle(): Promise<Value> {
      try {
        const { value, keepMs } = await fresh();
        if (keepMs !== undefined) entry.expiresAt = Math.min(entry.expiresAt, now() + keepMs);
        return value;
      } catch (error) {
        if (entries.get(key) === entry) entries.delete(key);
        throw error;
      }
    }
  }

  return {
    load(key, fresh) {
      const kept = entries.get(key);
      if (kept !== undefined && kept.expiresAt > now()) return kept.value;
      entries.delete(key);
      return start(key, fresh).value;
    },
    drop(key) {
      entries.delete(key);
    },
  };
}
