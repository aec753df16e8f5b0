import type { EventBus } from '@switchboard/event-bus';
import type { KeptTenant } from '../store/tenants.ts';

/** Tells everybody what the current tenant is now. `erase`: whoever keeps rows of it deletes them. */
export async function publishTenantChanged(bus: EventBus, { record, timeZone }: Pick<KeptTenant, 'record' | 'timeZone'>, reason: string): Promise<void> {
  const { tenant_id: tenantId, status, rate_limit: rateLimit, plan } = record;
  await bus.publish('tenant.changed', { status, rateLimit, plan, timeZone: timeZone ?? 'UTC', reason }, { orderingKey: tenantId });
}
