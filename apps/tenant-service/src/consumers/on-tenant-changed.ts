import { isHubError } from '@switchboard/contracts';
import { onEvent, type Subscription } from '@switchboard/event-bus';
import type { AccountDependencies } from '../accounts/dependencies.ts';
import { followTenant } from '../tenants/follow-tenant.ts';

/** Suspended here is suspended there, where the hub made the tenant's account at a provider. */
export function onTenantChanged(deps: AccountDependencies): Subscription {
  return onEvent({
    type: 'tenant.changed',
    // A group of its own: a provider that does not answer for a day holds back no usage of the tenant, whose events have the same key.
    group: 'tenant-service-providers',
    // Asks what is, and changes what is not as it should be.
    effect: 'idempotent',
    handle: async ({ payload: { reason } }) => {
      // What is erased is closed by who erases it; an update changes no status.
      if (reason === 'erase' || reason === 'updated') return;
      try {
        await followTenant(deps);
      } catch (error) {
        // Erased in the meantime.
        if (!isHubError(error) || error.code !== 'tenant.not_found') throw error;
      }
    },
  });
}
