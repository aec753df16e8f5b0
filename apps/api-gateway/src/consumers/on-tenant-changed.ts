import { onEvent } from '@switchboard/event-bus';
import type { Identification } from '../identify.ts';

/** Every gateway forgets a tenant that changed: its status and its limit are remembered with its keys and tokens. */
export function onTenantChanged(identification: Pick<Identification, 'forgetTenant'>) {
  return onEvent({
    type: 'tenant.changed',
    group: 'api-gateway',
    effect: 'idempotent',
    delivery: 'broadcast',
    handle: async ({ tenantId }) => identification.forgetTenant(tenantId),
  });
}
