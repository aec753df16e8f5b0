import type { ConnectionId, ProviderId, TenantId, WebhookConnection } from '@switchboard/contracts';
import type { RoutingIdentifier } from '@switchboard/providers';
import type { SecretBox } from '@switchboard/secrets';
import { currentTenant, runAsTenant } from '@switchboard/tenant-context';
import type { IngestDatabase } from './client.ts';

/** A connection as the copy holds it, secrets still sealed. */
export type StoredConnection = {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  readonly provider: ProviderId;
  readonly status: WebhookConnection['status'];
  readonly version: number;
  /** Since when it waits to become active; what its tenant changes begins the wait anew. */
  readonly pendingSince: Date | null;
  readonly routingKeys: readonly string[];
  readonly sealedSecrets: Uint8Array;
};

/** What verifies a connection's webhooks. */
export type OpenedSecrets = Pick<WebhookConnection, 'webhookSecrets' | 'verifyToken'>;

/** What lies sealed: the secrets, and beside them what webhooks are answered from (no secret, but the tenant's own words). */
export type OpenedConnection = OpenedSecrets & Pick<WebhookConnection, 'answerSettings'>;

/** What a connection is found by: neither provider ids nor field names contain a bar. */
export function routingKey(provider: ProviderId, identifier: RoutingIdentifier): string {
  return `${provider}|${identifier.name}|${identifier.value}`;
}

const columns = `tenant_id as "tenantId", connection_id as "connectionId", provider, status, version, case when status = 'pending' then coalesce(pending_since, updated_at) end as "pendingSince",
  routing_keys as "routingKeys", sealed_secrets as "sealedSecrets"`;

/**
 * Thousands of self-hosted servers have an account 1 with an inbox 1: a stranger who names it must not have all their secrets opened. More secrets than
 * are tried for one webhook anyway; the connection's own URL finds it without that.
 */
const connectionsOfKeyMax = 100;

/** Ingest's copy of the connections, secrets sealed again under its own keys. Reading goes over all tenants, in system scope; writing is the tenant's. */
export function createConnectionStore(db: IngestDatabase, secretBox: SecretBox) {
  const place = (connectionId: ConnectionId) => ({ table: 'connections', column: 'sealed_secrets', row: connectionId });

  return {
    findByIds: (connectionIds: readonly ConnectionId[]): Promise<StoredConnection[]> =>
      db.transaction(() => db.sql.query<StoredConnection>(`select ${columns} from connections where connection_id = any($1)`, [connectionIds])),

    /** Of each key the active ones and the oldest, `connectionsOfKeyMax` at most. */
    findByRoutingKeys: (keys: readonly string[]): Promise<StoredConnection[]> =>
      db.transaction(async () => {
        const rows = await db.sql.query<StoredConnection>(
          `select found.* from unnest($1::text[]) as wanted (key)
             cross join lateral (select ${columns} from connections where routing_keys @> array[wanted.key] order by status <> 'active', connection_id limit ${connectionsOfKeyMax}) found`,
          [keys],
        );
        return [...new Map(rows.map((row) => [row.connectionId, row])).values()];
      }),

    listLastChanged: (provider: ProviderId, limit: number): Promise<StoredConnection[]> =>
      db.transaction(() => db.sql.query<StoredConnection>(`select ${columns} from connections where provider = $1 order by updated_at desc limit $2`, [provider, limit])),

    listVersions: (): Promise<{ connectionId: ConnectionId; version: number }[]> =>
      db.transaction(() => db.sql.query<{ connectionId: ConnectionId; version: number }>('select connection_id as "connectionId", version from connections')),

    /** Keeps the newer of the two; returns what was sealed. */
    put: (connection: WebhookConnection): Promise<StoredConnection> =>
      runAsTenant(connection.tenantId, () =>
        db.transaction(async () => {
          const { webhookSecrets, verifyToken, answerSettings } = connection;
          const opened: OpenedConnection = { webhookSecrets, verifyToken, ...(answerSettings === undefined ? {} : { answerSettings }) };
          const { connectionId, provider, status, version } = connection;
          const stored = {
            tenantId: currentTenant(),
            connectionId,
            provider,
            status,
            version,
            routingKeys: Object.entries(connection.routingIdentifiers).map(([name, value]) => routingKey(provider, { name, value })),
            sealedSecrets: await secretBox.seal(JSON.stringify(opened), place(connectionId)),
          };
          const [kept] = await db.sql.query<{ pendingSince: Date | null }>(
            `insert into connections as kept (tenant_id, connection_id, provider, status, version, pending_since, routing_keys, sealed_secrets)
             values ($1, $2, $3, $4, $5, case when $4 = 'pending' then now() end, $6, $7)
             on conflict (tenant_id, connection_id) do update
               set status = excluded.status, version = excluded.version, pending_since = case when excluded.status = 'pending' then case when kept.version = excluded.version then coalesce(kept.pending_since, now()) else now() end end, routing_keys = excluded.routing_keys, sealed_secrets = excluded.sealed_secrets, updated_at = now()
               where kept.version <= excluded.version
             returning pending_since as "pendingSince"`,
            [stored.tenantId, connectionId, provider, status, version, stored.routingKeys, stored.sealedSecrets],
          );
          return { ...stored, pendingSince: kept?.pendingSince ?? null };
        }),
      ),

    /** In system scope. */
    remove: (connectionIds: readonly ConnectionId[]): Promise<unknown> =>
      db.transaction(() => db.sql.query('delete from connections where connection_id = any($1)', [connectionIds])),

    open: (connection: StoredConnection): Promise<OpenedConnection> =>
      runAsTenant(
        connection.tenantId,
        // The cast is safe: `put` wrote it, and the seal proves that.
        async () => JSON.parse(await secretBox.open(connection.sealedSecrets, place(connection.connectionId))) as OpenedConnection,
      ),
  };
}
export type ConnectionStore = ReturnType<typeof createConnectionStore>;
