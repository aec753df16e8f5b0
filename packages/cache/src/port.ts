import type { TenantId } from '@switchboard/contracts';

/**
 * Stands before every key: the tenant whose value it is, or the system for the few values from which a tenant is found. Tenant ids hold no
 * colon, and the key comes last, so that no text of a key can reach into another scope.
 */
export type CacheScope = `tenant:${TenantId}:` | 'system:';

/** At once from memory, later from elsewhere. */
export type Maybe<T> = T | Promise<T>;

/** What a scope was when loading began. A value that was loaded before something was forgotten is not kept: it may be the old one. */
export type Mark = number | string;

export type CacheEntry = {
  readonly scope: CacheScope;
  readonly key: string;
  readonly value: unknown;
  readonly keptForMs: number;
  /** Of before the value was loaded. */
  readonly mark: Mark;
};

/** Where values are kept. A store that does not answer has nothing: that costs time, and changes no answer. */
export interface CacheStore {
  get(scope: CacheScope, key: string): Maybe<unknown>;
  mark(scope: CacheScope): Maybe<Mark>;
  put(entry: CacheEntry): Maybe<void>;
  /** Of this key at least: a store may forget more of the scope. */
  forget(scope: CacheScope, key: string): Maybe<void>;
  forgetAll(scope: CacheScope): Maybe<void>;
  close(): Promise<void>;
}

export function tenantScope(tenantId: TenantId): CacheScope {
  return `tenant:${tenantId}:`;
}

export const systemScope: CacheScope = 'system:';
