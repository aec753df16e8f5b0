import { onEvent, type Subscription } from '@switchboard/event-bus';
import type { ConnectionHealthStore } from '../store/connection-health.ts';

/** Keeps what others saw of a connection. */
export function onConnectionHealth(health: ConnectionHealthStore): Subscription {
  return onEvent({
    type: 'connection.health',
    group: 'tenant-service',
    // The newest of each fact is kept: the same event again changes nothing.
    effect: 'idempotent',
    handle: async ({ payload: { connectionId, provider: _provider, ...seen }, occurredAt }) => await health.note(connectionId, seen, occurredAt),
  });
}
