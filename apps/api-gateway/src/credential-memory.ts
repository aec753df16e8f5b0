import type { TenantId } from '@switchboard/contracts';
import type { Credential } from './credential-cache.ts';

/** One that was valid. Three fields and no more: there may be a hundred thousand of them. `until`: milliseconds since 1970. `mark`: of before it was asked about. */
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
  const entries = new Map<string, Remembered>();
  // A map keeps the order of insertion, and an iterator its place in it: the next one is the oldest that is there, found without searching.
  let oldest = entries.keys();
  const forgotten = new Map<TenantId, { readonly mark: number; readonly atMs: number }>();
  let marks = 0;

  function makeRoom(): void {
    let next = oldest.next();
    if (next.done === true) next = (oldest = entries.keys()).next();
    if (next.done !== true) entries.delete(next.value);
  }

  function isBelieved({ credential, until, mark }: Remembered): boolean {
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
    put(key, remembered) {
      const before = entries.get(key);
      // An older question that was answered later.
      if (before !== undefined && before.mark > remembered.mark) return;
      if (before !== undefined) entries.delete(key);
      else if (entries.size >= entriesMax) makeRoom();
      entries.set(key, remembered);
    },
    drop(key, mark) {
      const entry = entries.get(key);
      if (entry !== undefined && entry.mark <= mark) entries.delete(key);
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
