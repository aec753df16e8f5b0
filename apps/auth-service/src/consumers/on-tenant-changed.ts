import { onEvent, type Subscription } from '@switchboard/event-bus';
import type { Tenants } from '../people/create-tenants.ts';

/** Another plan has another number of agents. Every process drops what it remembers. */
export function onTenantChanged(group: string, tenants: Tenants): Subscription {
  return onEvent({
    type: 'tenant.changed',
    group,
    effect: 'idempotent',
    delivery: 'broadcast',
    async handle({ tenantId }) {
      await tenants.drop(tenantId);
    },
  });
}
