import { createTenant, generateApiKey, hubError, newId, scopes } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import { hashApiKey } from '@switchboard/secrets';
import { runAsTenant } from '@switchboard/tenant-context';
import type { Dependencies } from '../app.ts';

/** What a tenant's first key may do: everything a key can. */
const firstKeyScopes = scopes;

export function createTenantRoute({ db, bus, tenants, apiKeys, audit, config, now }: Dependencies): Route {
  return defineRoute(createTenant, ({ body: { tenantId, subdomain = null, timeZone = null, ...rest } }) =>
    runAsTenant(tenantId, () =>
      db.transaction(async () => {
        const created = await tenants.insert({ ...rest, subdomain, timeZone });
        if (created.kind === 'id_taken') throw hubError('tenant.taken');
        if (created.kind === 'subdomain_taken') throw hubError('tenant.subdomain_taken');

        const keyId = newId('key');
        const apiKey = generateApiKey(keyId);
        await apiKeys.insert({ keyId, hash: hashApiKey(config.apiKeyPepper, apiKey), scopes: firstKeyScopes, createdAt: now() });
        await audit.append({ actor: 'admin', action: 'tenant.created', subject: tenantId, facts: { plan: rest.plan, rateLimit: rest.rateLimit } });
        await audit.append({ actor: 'admin', action: 'api_key.created', subject: keyId, facts: { scopes: firstKeyScopes } });
        await bus.publish('tenant.changed', { status: 'active', rateLimit: rest.rateLimit, plan: rest.plan, timeZone: timeZone ?? 'UTC', reason: 'created' }, { orderingKey: tenantId });
        await bus.publish('api_key.changed', { keyId, status: 'active' }, { orderingKey: keyId });
        return { tenant: created.tenant, apiKey, message: 'Tenant created successfully' };
      }),
    ),
  );
}
