import { hubError, resolveTenant, type Plan, type TenantId } from '@switchboard/contracts';
import type { CallRoute } from '@switchboard/service-kit';
import { runAsSystem } from '@switchboard/tenant-context';

/** Milliseconds a tenant's plan is believed when nobody says that it has changed. */
const keptMs = 60_000;
const keptMax = 10_000;

export interface Tenants {
  /** The tenant's plan. Throws `tenant.not_found` for one that does not exist or is deleted. */
  planOf(tenantId: TenantId): Promise<Plan>;
  drop(tenantId: TenantId): void;
}

/** What tenant-service says of tenants, kept for a minute. */
export function createTenants({ callRoute, now }: { readonly callRoute: CallRoute; readonly now: () => Date }): Tenants {
  const kept = new Map<TenantId, { readonly plan: Plan; readonly untilMs: number }>();
  return {
    async planOf(tenantId) {
      const known = kept.get(tenantId);
      if (known !== undefined && known.untilMs > now().getTime()) return known.plan;
      const askedAtMs = now().getTime();
      const { tenant } = await runAsSystem('the tenant is what is asked for', () => callRoute('tenant-service', resolveTenant, { body: { tenantId } }));
      if (tenant === null || tenant.status === 'deleted') throw hubError('tenant.not_found');
      if (kept.size >= keptMax) kept.clear();
      kept.set(tenantId, { plan: tenant.plan, untilMs: askedAtMs + keptMs });
      return tenant.plan;
    },
    drop(tenantId) {
      kept.delete(tenantId);
    },
  };
}
