import { createTenantCache, forgetTenant, type CacheStore } from '@switchboard/cache';
import { hubError, plans, resolveTenant, type Plan, type TenantId } from '@switchboard/contracts';
import type { CallRoute } from '@switchboard/service-kit';
import { runAsSystem, runAsTenant } from '@switchboard/tenant-context';
import { z } from 'zod';

/** Milliseconds a tenant's plan is believed when nobody says that it has changed. */
const keptForMs = 60_000;
/** Milliseconds that a tenant which does not exist is remembered. */
const unknownForMs = 1_000;

export interface Tenants {
  /** The tenant's plan. Throws `tenant.not_found` for one that does not exist or is deleted. */
  planOf(tenantId: TenantId): Promise<Plan>;
  drop(tenantId: TenantId): Promise<void>;
}

const keptSchema = z.object({ plan: z.enum(plans).nullable() });
const planKey = 'plan';

/** What tenant-service says of tenants, kept for a minute. */
export function createTenants({ callRoute, store }: { readonly callRoute: CallRoute; readonly store: CacheStore }): Tenants {
  const kept = createTenantCache<{ readonly plan: Plan | null }>({ store, name: 'tenants', parse: (value) => keptSchema.safeParse(value).data });

  const load = async (tenantId: TenantId) => {
    const { tenant } = await runAsSystem('the tenant is what is asked for', () => callRoute('tenant-service', resolveTenant, { body: { tenantId } }));
    const plan = tenant === null || tenant.status === 'deleted' ? null : tenant.plan;
    return { value: { plan }, keptForMs: plan === null ? unknownForMs : keptForMs };
  };

  return {
    async planOf(tenantId) {
      const { plan } = await runAsTenant(tenantId, () => kept.remember(planKey, () => load(tenantId)));
      if (plan === null) throw hubError('tenant.not_found');
      return plan;
    },
    drop: (tenantId) => runAsTenant(tenantId, () => forgetTenant(store)),
  };
}
