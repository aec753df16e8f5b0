import type { TenantId } from '@switchboard/contracts';
import { currentScope, runAsSystem, runAsTenant } from '@switchboard/tenant-context';

/** Where a person belongs: to a tenant, or to the platform (undefined). */
export type Realm = TenantId | undefined;

/** Runs `fn` where the person's rows are: as the tenant, or in system scope, where the tables of staff are. */
export function runInRealm<T>(realm: Realm, fn: () => T): T {
  return realm === undefined ? runAsSystem('staff belong to no tenant', fn) : runAsTenant(realm, fn);
}

/** The realm of this work. Throws `tenant.context_missing` outside any. */
export function currentRealm(): Realm {
  const scope = currentScope();
  return scope.kind === 'tenant' ? scope.tenantId : undefined;
}
