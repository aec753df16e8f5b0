import { createHash, randomUUID } from 'node:crypto';
import { createClient } from 'redis';
import type { CacheScope, CacheStore } from './port.ts';

/** Milliseconds that a question may take: longer, and asking the source is as quick. */
const timeoutDefaultMs = 50;
/** Milliseconds for which Redis is not asked after it failed: a dead one must cost a wait in a second, not each. */
const restMs = 1_000;
/** Characters of a key that are written out; longer ones are written as their hash. */
const keyMax = 200;
/** Milliseconds that a value is kept at the most. */
const keptMaxMs = 3_600_000;
/** Milliseconds that a scope's generation is kept: without it the scope's values are not found. */
const generationKeptMs = 24 * 3_600_000;
/** What a scope's mark is while Redis does not answer: what is loaded then is not kept. */
const noMark = '';

const prefix = 'switchboard:cache:';

export type RedisStoreOptions = {
  readonly url: string;
  readonly timeoutMs?: number;
  /** What went wrong, by code or name: messages may quote the URL, which holds a password. */
  readonly onFailure?: (code: string) => void;
};

/**
 * Values in Redis, as JSON, for several processes. Each carries the generation of its scope, a random name: to forget a scope is to delete
 * that, and what was kept under it is not found again and ends by its own age. What cannot be forgotten because Redis is away lives on for its own age at the most.
 */
export function createRedisStore({ url, timeoutMs = timeoutDefaultMs, onFailure = () => undefined }: RedisStoreOptions): CacheStore {
  const client = createClient({ url, disableOfflineQueue: true, socket: { connectTimeout: 1_000, reconnectStrategy: (retries) => Math.min(100 * 2 ** retries, 2_000) } });
  client.on('error', (error: NodeJS.ErrnoException) => onFailure(error.code ?? error.name));
  void client.connect().catch(() => undefined); // reported by the listener above; it keeps trying
  let restsUntil = 0;

  /** What Redis answers, undefined while it does not. */
  async function ask<T>(question: () => Promise<T>): Promise<T | undefined> {
    if (!client.isReady || performance.now() < restsUntil) return undefined;
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('Redis is slow')), timeoutMs);
    });
    try {
      return await Promise.race([question(), tooLate]);
    } catch (error) {
      restsUntil = performance.now() + restMs;
      onFailure(error instanceof Error ? error.name : 'unknown');
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  const generationKey = (scope: CacheScope) => `${prefix}generation:${scope}`;

  return {
    async get(scope, key) {
      const found = await ask(() => client.mGet([generationKey(scope), valueKey(scope, key)]));
      const [generation, kept] = found ?? [];
      if (typeof generation !== 'string' || typeof kept !== 'string' || !kept.startsWith(`${generation} `)) return undefined;
      return JSON.parse(kept.slice(generation.length + 1)) as unknown;
    },
    async mark(scope) {
      const fresh = randomUUID();
      const generation = await ask(() => client.set(generationKey(scope), fresh, { condition: 'NX', GET: true, expiration: { type: 'PX', value: generationKeptMs } }));
      // Null: there was none, and now there is ours.
      return generation === undefined ? noMark : (generation ?? fresh);
    },
    async put({ scope, key, value, keptForMs, mark }) {
      if (mark === noMark || keptForMs < 1) return;
      await ask(() => client.set(valueKey(scope, key), `${mark} ${JSON.stringify(value)}`, { expiration: { type: 'PX', value: Math.floor(Math.min(keptForMs, keptMaxMs)) } }));
    },
    // With the scope's generation: a value that is being loaded now was asked for before, and is not to be kept.
    forget: async (scope) => void (await ask(() => client.del(generationKey(scope)))),
    forgetAll: async (scope) => void (await ask(() => client.del(generationKey(scope)))),
    close: async () => client.destroy(),
  };
}

function valueKey(scope: CacheScope, key: string): string {
  // A hash and a text that was written out stand behind different signs, so that no key can be the hash of another. Halves of characters have no UTF-8.
  return `${prefix}value:${scope}${key.length <= keyMax && key.isWellFormed() ? `=${key}` : `#${createHash('sha256').update(key, 'utf16le').digest('base64')}`}`;
}
