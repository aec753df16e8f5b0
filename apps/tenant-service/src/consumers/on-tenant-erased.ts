import { onEvent } from '@switchboard/event-bus';
import { runAsSystem } from '@switchboard/tenant-context';
import type { Dependencies } from '../app.ts';

/** A service has erased a tenant: one more line of the receipt. Said twice it is the same line. */
export function onTenantErased({ erasures }: Pick<Dependencies, 'erasures'>) {
  return onEvent({
    type: 'tenant.erased',
    group: 'tenant-service',
    // No inbox: its record would be a row of the tenant.
    effect: 'idempotent',
    handle: ({ tenantId, payload }) => runAsSystem('an erasure outlives its tenant', () => erasures.addReceipt(tenantId, payload)),
  });
}
