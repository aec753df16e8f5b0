/**
 * Values that could be asked for again, kept for some seconds: in memory within bounds, or in Redis. Every key stands behind its tenant, so
 * that what is kept for one is not there for another; what must be known before the tenant is (whose key is this?) stands behind `system:`.
 * A cache that is cold, full or dead changes how long an answer takes, and never the answer. Nothing here holds a credential in plain text:
 * keys are hashes or ids.
 */
export * from './port.ts';
export { createMemoryStore, type MemoryStore, type MemoryStoreOptions } from './memory-store.ts';
export { createRedisStore, type RedisStoreOptions } from './redis-store.ts';
export { createSystemCache, createTenantCache, forgetTenant, type Cache, type CacheOptions } from './cache.ts';
export { openCacheStore } from './open-cache-store.ts';
