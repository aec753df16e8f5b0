import { parseApiKey, resolveApiKeys, type TenantFacts, type TenantId } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import { findOpeningKeys } from '../../api-keys/find-opening-keys.ts';
import type { Dependencies } from '../../app.ts';

/** Many keys in one question; keys of other installations are asked about one by one, because each costs a statement of its own. */
export function resolveApiKeysRoute(dependencies: Dependencies): Route {
  return defineRoute(resolveApiKeys, async ({ body: { apiKeys } }) => {
    const found = await findOpeningKeys(apiKeys.map((text) => (parseApiKey(text) === undefined ? '' : text)), dependencies);
    const tenants = new Map<TenantId, TenantFacts>();
    const keys = found.map((key) => {
      if (key === undefined) return null;
      const { hash: _hash, revokedAt: _revoked, lastUsedAt: _used, tenant, ...resolved } = key;
      tenants.set(tenant.tenantId, tenant);
      return { ...resolved, tenantId: tenant.tenantId };
    });
    return { keys, tenants: [...tenants.values()] };
  });
}
