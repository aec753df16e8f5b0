import { onEvent, type Subscription } from '@switchboard/event-bus';
import type { TenantRoutings } from '../routing/tenant-routing.ts';

/** Routes, connections or the tenant itself changed: every process drops its copy. */
export function onRoutingChanged(routings: TenantRoutings): Subscription[] {
  const dropCopy = { group: 'state-manager', effect: 'idempotent', delivery: 'broadcast' } as const;
  return [
    onEvent({ ...dropCopy, type: 'routes.changed', handle: () => routings.drop() }),
    onEvent({ ...dropCopy, type: 'connection.changed', handle: () => routings.drop() }),
    onEvent({ ...dropCopy, type: 'tenant.changed', handle: () => routings.drop() }),
  ];
}
