import { systemScope, tenantScope, type KeptValue, type Maybe, type MemoryStore } from '@switchboard/cache';
import { hubError, isHubError } from '@switchboard/contracts';
import { hash } from 'node:crypto';
import type { Caller } from './identity.ts';
import type { Networks } from './networks.ts';
import { createTurns } from './turns.ts';

/** What a credential proves. `networks`: the only ones it may be used from. */
export type Credential = { readonly kind: 'caller'; readonly caller: Caller; readonly networks: Networks | undefined } | { readonly kind: 'platform'; readonly subject: string };
export type Loaded = { readonly credential: Credential; /** Milliseconds since 1970: known no longer than this. */ readonly until: number };

/** Where credentials come from that are not remembered. */
export type Source = {
  /** Whether the text can be one at all, by its form; asks nobody. */
  readonly isPossible: (text: string) => boolean;
  /** `guessedFrom`: the address of a text that was not valid lately, and may be a guess. Throws `auth.missing` for one that is unknown, revoked or expired. */
  readonly load: (text: string, guessedFrom: string | undefined) => Promise<Loaded>;
};

export interface CredentialCache {
  /** What the text proves, at once when it is remembered; undefined when it proves nothing. Ten requests with one new text load once. Rejects with `service.unavailable`. */
  find(text: string, source: Source, from: () => string): Maybe<Credential | undefined>;
  /** Answers that are under way are not handed to requests that come after this. */
  forgetAsked(): void;
}

/** Milliseconds: how long a revoked credential can live on at the worst, when its event does not come. */
export const knownForMs = 10_000;
/** Milliseconds: nobody says when staff of the platform, who are of no tenant, are disabled. */
const platformKnownForMs = 1_000;
/** Milliseconds: long enough to take the force out of a loop with a wrong key, short enough that nobody waits for a new one. */
const unknownForMs = 1_000;

/** Milliseconds for which a credential that was valid goes before texts that nobody has seen yet. */
export const seenForMs = 3_600_000;
/** Questions about such texts: half of the connections to one service, the rest is for who comes back. After a start everybody is a stranger, and waits. */
const strangersTurns = { atOnceMax: 32, waitingMax: 256 } as const;

const nobody = Symbol('nobody');
/** What stands in the system's scope behind the hash of a text: where in its tenant's scope the credential is, or the credential itself where it is no tenant's. */
type Holder = KeptValue | Extract<Credential, { kind: 'platform' }>;

export type CredentialStores = {
  readonly store: MemoryStore;
  /** Of its own: a flood of wrong texts must not push out the right ones. */
  readonly unknown: MemoryStore;
  /** What was valid lately, without what it was. */
  readonly seen: MemoryStore;
};

/**
 * Credentials of one `kind` by the hash of their text. What a credential may do is kept in its tenant's scope, and forgotten with it; in the
 * system's scope, where a text of nobody known is looked for, stands only where that is.
 */
export function createCredentialCache(kind: 'key' | 'token', { store, unknown, seen, now }: CredentialStores & { readonly now: () => number }): CredentialCache {
  const asked = new Map<string, Promise<Credential | undefined>>();
  const strangers = createTurns(strangersTurns);

  function recall(key: string): Credential | undefined {
    // Only this file puts what stands behind these keys.
    const holder = store.get(systemScope, key) as Holder | undefined;
    if (holder === undefined || 'kind' in holder) return holder;
    return holder.isKept ? (holder.value as Credential) : undefined;
  }

  async function ask(key: string, load: () => Promise<Loaded>): Promise<Credential | undefined> {
    const mark = store.mark();
    try {
      const { credential, until } = await load();
      const leftMs = until - now();
      if (leftMs <= 0) throw hubError('auth.missing');
      const entry = { key, mark };
      seen.put({ scope: systemScope, key, value: true, keptForMs: seenForMs, mark: seen.mark() });
      if (credential.kind === 'platform') store.put({ ...entry, scope: systemScope, value: credential, keptForMs: Math.min(leftMs, platformKnownForMs) });
      else {
        const keptForMs = Math.min(leftMs, knownForMs);
        const kept = store.keep({ ...entry, scope: tenantScope(credential.caller.tenantId), value: credential, keptForMs });
        if (kept !== undefined) store.put({ ...entry, scope: systemScope, value: kept, keptForMs });
      }
      return credential;
    } catch (error) {
      if (!isHubError(error) || error.code !== 'auth.missing') throw error;
      unknown.put({ scope: systemScope, key, value: nobody, keptForMs: unknownForMs, mark: unknown.mark() });
      return undefined;
    }
  }

  return {
    find(text, { isPossible, load }, from) {
      const key = `${kind}:${hash('sha256', text, 'base64')}`;
      const known = recall(key);
      if (known !== undefined) return known;
      if (unknown.get(systemScope, key) === nobody || !isPossible(text)) return undefined;
      let answer = asked.get(key);
      if (answer === undefined) {
        // A flood of wrong texts must neither make those wait who are asked for anew every ten seconds, nor use up what their address may guess.
        const wasValid = seen.get(systemScope, key) !== undefined;
        const mine = (wasValid ? ask(key, () => load(text, undefined)) : strangers.take(() => ask(key, () => load(text, from())))).finally(() => {
          if (asked.get(key) === mine) asked.delete(key);
        });
        asked.set(key, (answer = mine));
      }
      return answer;
    },
    forgetAsked: () => asked.clear(),
  };
}
