import type { Kit } from '@switchboard/service-kit';
import { MemoryStore, type ClientRateLimitInfo, type Options, type Store } from 'express-rate-limit';
import { RedisStore } from 'rate-limit-redis';
import { createClient } from 'redis';

/** Milliseconds that one count may take before this process counts by itself. */
const redisTimeoutDefaultMs = 50;
/** Milliseconds for which Redis is not asked after it failed: a dead one must cost a request in a second, not all. */
const redisRestMs = 1_000;

type LimitStore = { readonly store: Store; readonly close: () => Promise<void> };
type LimitStoreOptions = { readonly redisUrl: string | undefined; readonly windowMs: number; readonly log: Kit<unknown, unknown>['log']; readonly redisTimeoutMs?: number };

/** Where requests are counted: Redis with a local fallback when there is a URL, else memory. Never waits for Redis to come up. */
export function createLimitStore({ redisUrl, windowMs, log, redisTimeoutMs = redisTimeoutDefaultMs }: LimitStoreOptions): LimitStore {
  const local = new MemoryStore();
  if (redisUrl === undefined) return { store: local, close: async () => local.shutdown() };

  const client = createClient({ url: redisUrl, disableOfflineQueue: true, socket: { connectTimeout: 1_000, reconnectStrategy: (retries) => Math.min(100 * 2 ** retries, 2_000) } });
  // Its own messages may quote the URL, which holds a password: the code says enough.
  client.on('error', (error: NodeJS.ErrnoException) => log.warn({ code: error.code ?? error.name }, 'Redis is not available'));
  const redis = new RedisStore({ sendCommand: (...command: string[]) => client.sendCommand(command), prefix: 'switchboard:limit:' });
  void client.connect().catch(() => undefined); // reported by the listener above; it keeps trying

  return {
    store: withFallback(redis, local, { windowMs, redisTimeoutMs, onFailure: () => log.warn('Redis did not count: this gateway counts by itself') }),
    close: async () => {
      local.shutdown();
      client.destroy();
    },
  };
}

type FallbackOptions = { readonly windowMs: number; readonly redisTimeoutMs: number; readonly onFailure: () => void };

/** Counts in `redis`, and in `local` while that fails or is slow. */
function withFallback(redis: Store, local: MemoryStore, { windowMs, redisTimeoutMs, onFailure }: FallbackOptions): Store {
  let restsUntil = 0;
  let initialised: Promise<unknown> | undefined;

  const attempt = async (key: string): Promise<ClientRateLimitInfo> => {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('Redis is slow')), redisTimeoutMs);
    });
    try {
      // Its scripts are loaded on first use, again after a failure: at the start Redis may not be there yet.
      initialised ??= Promise.resolve(redis.init?.({ windowMs } as Options));
      return await Promise.race([initialised.then(() => redis.increment(key)), tooLate]);
    } catch (error) {
      initialised = undefined;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  };

  return {
    localKeys: false,
    init: (options: Options) => local.init(options),
    async increment(key) {
      if (performance.now() >= restsUntil) {
        try {
          return await attempt(key);
        } catch {
          restsUntil = performance.now() + redisRestMs;
          onFailure();
        }
      }
      return local.increment(key);
    },
    decrement: (key) => redis.decrement(key),
    resetKey: (key) => redis.resetKey(key),
  };
}
