import { onEvent } from '@switchboard/event-bus';
import type { CallerLookup } from '../caller-lookup.ts';

/** Every gateway forgets the keys of a tenant that changed: its status and its limit came with them. */
export function onTenantChanged(callers: Pick<CallerLookup, 'forgetTenant'>) {
  return onEvent({
    type: 'tenant.changed',
    group: 'api-gateway',
    effect: 'idempotent',
    delivery: 'broadcast',
    handle: async ({ tenantId }) => callers.forgetTenant(tenantId),
  });
}
