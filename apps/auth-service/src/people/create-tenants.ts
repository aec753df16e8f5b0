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
  /** Grows with every drop: an answer that was under way meanwhile may be older than the change. */
  let drops = 0;
  return {
    async planOf(tenantId) {
      const known = kept.get(tenantId);
      if (known !== undefined && known.untilMs > now().getTime()) return known.plan;
      const asked = { atMs: now().getTime(), drops };
      const { tenant } = await runAsSystem('the tenant is what is asked for', () => callRoute('tenant-service', resolveTenant, { body: { tenantId } }));
      if (tenant === null || tenant.status === 'deleted') throw hubError('tenant.not_found');
      if (kept.size >= keptMax) kept.clear();
      if (asked.drops === drops) kept.set(tenantId, { plan: tenant.plan, untilMs: asked.atMs + keptMs });
      return tenant.plan;
    },
    drop(tenantId) {
      drops += 1;
      kept.delete(tenantId);
    },
  };
}
