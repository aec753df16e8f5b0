import { onEvent, type Subscription } from '@switchboard/event-bus';
import type { ConnectionDirectory } from '../connections/connection-directory.ts';
import type { ConnectionSource } from '../connections/connection-source.ts';

/** One process brings the change into the copy; every process forgets what it holds in memory. */
export function onConnectionChanged(source: ConnectionSource, directory: ConnectionDirectory): Subscription[] {
  return [
    onEvent({
      type: 'connection.changed',
      group: 'webhook-ingest',
      // It fetches what is true now; doing that twice changes nothing.
      effect: 'idempotent',
      handle: async ({ payload }) => {
        await source.refresh([payload.connectionId]);
        directory.forget(payload.connectionId, payload.version);
      },
    }),
    onEvent({
      type: 'connection.changed',
      group: 'webhook-ingest-memory',
      effect: 'idempotent',
      delivery: 'broadcast',
      handle: async ({ payload }) => directory.forget(payload.connectionId, payload.version),
    }),
  ];
}
