import { findWebhookConnections, listWebhookConnections, type BodyInputOf, type ConnectionId } from '@switchboard/contracts';
import type { CallRoute } from '@switchboard/service-kit';
import { runAsSystem } from '@switchboard/tenant-context';
import type { ConnectionStore, StoredConnection } from '../store/connections.ts';

/** Brings connections from tenant-service into ingest's own table. */
export interface ConnectionSource {
  /** Asks by id, identifier or token, keeps what there is, and returns it. System scope. */
  lookUp(query: BodyInputOf<typeof findWebhookConnections>): Promise<StoredConnection[]>;
  /** Brings these up to date: what tenant-service does not know any more is removed here. Returns those that are left. */
  refresh(connectionIds: readonly ConnectionId[]): Promise<StoredConnection[]>;
  /** Makes the whole copy equal to tenant-service's connections. Returns how many were brought over or removed. */
  sync(): Promise<number>;
}

/** A provider waits behind some of these calls, for 10 s at most. */
const lookUpTimeoutMs = 3_000;

export function createConnectionSource(options: { readonly store: ConnectionStore; readonly callRoute: CallRoute }): ConnectionSource {
  const { store, callRoute } = options;

  const lookUp: ConnectionSource['lookUp'] = async (query) => {
    const { connections } = await callRoute('tenant-service', findWebhookConnections, { body: query, timeoutMs: lookUpTimeoutMs });
    const stored: StoredConnection[] = [];
    for (const connection of connections) stored.push(await store.put(connection));
    return stored;
  };

  return {
    lookUp,
    refresh: (connectionIds) =>
      runAsSystem('bringing changed connections over', async () => {
        const stored = await lookUp({ connectionIds: [...connectionIds] });
        const gone = connectionIds.filter((id) => !stored.some((connection) => connection.connectionId === id));
        if (gone.length > 0) await store.remove(gone);
        return stored;
      }),
    sync: () =>
      runAsSystem('bringing all connections over', async () => {
        // Read before the list: what is connected meanwhile is not mistaken for removed.
        const before = new Map((await store.listVersions()).map(({ connectionId, version }) => [connectionId, version]));
        let changed = 0;
        let cursor: string | undefined;
        do {
          const page = await callRoute('tenant-service', listWebhookConnections, { query: { ...(cursor === undefined ? {} : { cursor }) }, timeoutMs: 10_000 });
          for (const connection of page.data) {
            const version = before.get(connection.connectionId);
            before.delete(connection.connectionId);
            if (version === connection.version) continue;
            await store.put(connection);
            changed++;
          }
          cursor = page.nextCursor ?? undefined;
        } while (cursor !== undefined);
        if (before.size > 0) await store.remove([...before.keys()]);
        return changed + before.size;
      }),
  };
}
