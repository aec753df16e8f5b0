import { createMemoryStore } from './memory-store.ts';
import type { CacheStore } from './port.ts';
import { createRedisStore, type RedisStoreOptions } from './redis-store.ts';

type Options = Pick<RedisStoreOptions, 'onFailure'> & { readonly redisUrl: string | undefined; readonly entriesMax: number; /** Of values in this process, in milliseconds. Redis has a clock of its own. */ readonly now?: () => number };

/** In Redis where the service has a URL of one, in this process (`entriesMax` values) where it has none. */
export function openCacheStore({ redisUrl, entriesMax, now, onFailure }: Options): CacheStore {
  if (redisUrl === undefined) return createMemoryStore({ entriesMax, ...(now === undefined ? {} : { now }) });
  return createRedisStore({ url: redisUrl, ...(onFailure === undefined ? {} : { onFailure }) });
}
