import type { TenantId } from '@switchboard/contracts';
import type { Credential } from './credential-cache.ts';

/** One that was valid. `until`: milliseconds since 1970. `mark`: of before it was asked about. */
export type Remembered = { readonly credential: Credential; readonly until: number; readonly mark: number };

/** Credentials by the hash of their text, at most `entriesMax`: the one that was put longest ago makes room. */
export interface CredentialMemory {
  /** What may be believed now. */
  get(key: string): Credential | undefined;
  /** What was believed lately, also when it may not be any more: who comes back, and what may be used again where a new answer says the same. */
  last(key: string): Credential | undefined;
  /** What the memory was when a question began. An answer is not believed when its tenant was forgotten since. */
  mark(): number;
  put(key: string, remembered: Remembered): void;
  /** It opens nothing, by an answer to a question of this mark. */
  drop(key: string, mark: number): void;
  /** Nothing is believed of this tenant that was asked before now. */
  forgetTenant(tenantId: TenantId): void;
  readonly size: number;
}

/** Few fields: there may be a hundred thousand of them. */
type Entry = { readonly key: string; credential: Credential; until: number; mark: number; older: Entry | undefined; newer: Entry | undefined };

export type CredentialMemoryOptions = {
  readonly entriesMax: number;
  /** Milliseconds: nothing that is put ends later than this after its mark was taken. */
  readonly knownForMs: number;
  /** Milliseconds after its end for which a credential is still known as one that was. */
  readonly lastForMs: number;
  readonly now: () => number;
};

/**
 * Not a store of `packages/cache`: there each value is kept behind its tenant, which costs an object and a place in two maps for each. Here a
 * tenant is forgotten by noting when, and what was asked before then is not believed; the note is needed only as long as anything lives that could be older.
 */
export function createCredentialMemory({ entriesMax, knownForMs, lastForMs, now }: CredentialMemoryOptions): CredentialMemory {
  const entries = new Map<string, Entry>();
  // In the order they were put, as a list through themselves: the map's own order would cost a place anew each time one is put again.
  let oldest: Entry | undefined;
  let newest: Entry | undefined;
  const forgotten = new Map<TenantId, { readonly mark: number; readonly atMs: number }>();
  let marks = 0;

  function unlink({ older, newer }: Entry): void {
    if (older === undefined) oldest = newer;
    else older.newer = newer;
    if (newer === undefined) newest = older;
    else newer.older = older;
  }

  function linkAsNewest(entry: Entry): void {
    entry.older = newest;
    entry.newer = undefined;
    if (newest === undefined) oldest = entry;
    else newest.newer = entry;
    newest = entry;
  }

  function remove(entry: Entry): void {
    unlink(entry);
    entries.delete(entry.key);
  }

  function isBelieved({ credential, until, mark }: Entry): boolean {
    if (until <= now()) return false;
    if (forgotten.size === 0 || credential.kind === 'platform') return true;
    const since = forgotten.get(credential.caller.tenantId);
    return since === undefined || since.mark < mark;
  }

  return {
    get(key) {
      const entry = entries.get(key);
      return entry !== undefined && isBelieved(entry) ? entry.credential : undefined;
    },
    last(key) {
      const entry = entries.get(key);
      return entry !== undefined && entry.until + lastForMs > now() ? entry.credential : undefined;
    },
    mark: () => ++marks,
    put(key, { credential, until, mark }) {
      const entry = entries.get(key);
      if (entry === undefined) {
        if (entries.size >= entriesMax && oldest !== undefined) remove(oldest);
        const added: Entry = { key, credential, until, mark, older: undefined, newer: undefined };
        entries.set(key, added);
        linkAsNewest(added);
        return;
      }
      // An older question that was answered later.
      if (entry.mark > mark) return;
      Object.assign(entry, { credential, until, mark });
      unlink(entry);
      linkAsNewest(entry);
    },
    drop(key, mark) {
      const entry = entries.get(key);
      if (entry !== undefined && entry.mark <= mark) remove(entry);
    },
    forgetTenant(tenantId) {
      const atMs = now();
      for (const [id, note] of forgotten) {
        if (note.atMs + knownForMs > atMs) break;
        forgotten.delete(id);
      }
      // Anew, so that the oldest notes stand first.
      forgotten.delete(tenantId);
      forgotten.set(tenantId, { mark: ++marks, atMs });
    },
    get size() {
      return entries.size;
    },
  };
}
