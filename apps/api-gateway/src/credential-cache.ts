import { systemScope, type Maybe, type MemoryStore } from '@switchboard/cache';
import { hubError, isHubError } from '@switchboard/contracts';
import { hash } from 'node:crypto';
import type { CredentialMemory } from './credential-memory.ts';
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

export type CredentialStores = {
  readonly memory: CredentialMemory;
  /** Of its own: a flood of wrong texts must not push out the right ones. */
  readonly unknown: MemoryStore;
};

/** Credentials of one `kind` by the hash of their text. */
export function createCredentialCache(kind: 'key' | 'token', { memory, unknown, now }: CredentialStores & { readonly now: () => number }): CredentialCache {
  const asked = new Map<string, Promise<Credential | undefined>>();
  const strangers = createTurns(strangersTurns);

  async function ask(key: string, load: () => Promise<Loaded>): Promise<Credential | undefined> {
    const mark = memory.mark();
    const askedAt = now();
    try {
      const loaded = await load();
      const last = memory.last(key);
      // The same object where nothing changed: what hangs on it, above all its token for each service, stays.
      const credential = last !== undefined && isSame(last, loaded.credential) ? last : loaded.credential;
      // From the beginning of the question on: the answer may be as old as that.
      const until = Math.min(loaded.until, askedAt + (credential.kind === 'platform' ? platformKnownForMs : knownForMs));
      if (until <= now()) throw hubError('auth.missing');
      memory.put(key, { credential, until, mark });
      return credential;
    } catch (error) {
      if (!isHubError(error) || error.code !== 'auth.missing') throw error;
      memory.drop(key, mark);
      unknown.put({ scope: systemScope, key, value: nobody, keptForMs: unknownForMs, mark: unknown.mark() });
      return undefined;
    }
  }

  return {
    find(text, { isPossible, load }, from) {
      const key = hash('sha256', `${kind} ${text}`, 'base64');
      const known = memory.get(key);
      if (known !== undefined) return known;
      if (unknown.get(systemScope, key) === nobody || !isPossible(text)) return undefined;
      let answer = asked.get(key);
      if (answer === undefined) {
        // A flood of wrong texts must neither make those wait who are asked for anew every ten seconds, nor use up what their address may guess.
        const wasValid = memory.last(key) !== undefined;
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

/** Parts are shared where they are equal (shared-parts.ts), so that comparing them is comparing references. */
function isSame(one: Credential, other: Credential): boolean {
  if (one.kind === 'platform') return other.kind === 'platform' && one.subject === other.subject;
  if (other.kind === 'platform') return false;
  const [a, b] = [one.caller, other.caller];
  return one.networks === other.networks && a.tenant === b.tenant && a.scopes === b.scopes && a.subject === b.subject && a.via === b.via && a.role === b.role && a.keyRateLimit === b.keyRateLimit;
}
