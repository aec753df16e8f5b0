import { createMemoryStore } from './memory-store.ts';
import type { CacheStore } from './port.ts';
import { createRedisStore, type RedisStoreOptions } from './redis-store.ts';

/** In Redis where the service has a URL of one, in this process (`entriesMax` values) where it has none. */
export function openCacheStore({ redisUrl, entriesMax, onFailure }: { readonly redisUrl: string | undefined; readonly entriesMax: number } & Pick<RedisStoreOptions, 'onFailure'>): CacheStore {
  if (redisUrl === undefined) return createMemoryStore({ entriesMax });
  return createRedisStore({ url: redisUrl, ...(onFailure === undefined ? {} : { onFailure }) });
}
