import { hubError, resolveTenant } from '@switchboard/contracts';
import type { CallRoute, Principal } from '@switchboard/service-kit';
import { currentTenant } from '@switchboard/tenant-context';

/** The platform may name a tenant that there is not: then nothing is made for it. Throws `tenant.not_found`, `tenant.deleted`. A tenant's own credentials have proved it. */
export async function assertTenant(callRoute: CallRoute, principal: Principal): Promise<void> {
  if (principal.kind === 'tenant') return;
  const { tenant } = await callRoute('tenant-service', resolveTenant, { body: { tenantId: currentTenant() } });
  if (tenant === null) throw hubError('tenant.not_found');
  if (tenant.status === 'deleted') throw hubError('tenant.deleted');
}
