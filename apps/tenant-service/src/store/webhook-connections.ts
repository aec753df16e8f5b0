import type { ConnectionId, ProviderId, TenantId, WebhookConnection } from '@switchboard/contracts';
import { findProvider, type ProviderEntry } from '@switchboard/providers';
import { runAsTenant } from '@switchboard/tenant-context';
import type { TenantDatabase } from './client.ts';
import type { ConnectionStatus, ConnectionStore } from './connections.ts';
import type { PlatformConnectionStore } from './platform-connections.ts';
import type { PreviousSecret, PreviousSecretStore } from './previous-secrets.ts';

export type WebhookConnectionQuery = {
  readonly connectionIds: readonly ConnectionId[];
  readonly routingIdentifiers: readonly { readonly provider: ProviderId; readonly name: string; readonly value: string }[];
  readonly handshake: { readonly provider: ProviderId; readonly tokenHash: string } | undefined;
};

/** Connections of all tenants with what verifies their webhooks: what ingest copies. In system scope; each secret is opened as its own tenant. */
export function createWebhookConnectionStore(db: TenantDatabase, stores: { readonly connections: ConnectionStore; readonly previousSecrets: PreviousSecretStore; readonly platformConnections: PlatformConnectionStore }) {
  const read = (condition: string, values: readonly unknown[], limit = 1000) =>
    db.transaction(() => db.sql.query<Row>(`${select} where (${condition}) and ${isKept} order by c.connection_id limit ${limit}`, values));

  async function open(row: Row, ofPlatform: WebhookSecrets | undefined, now: Date): Promise<WebhookConnection | undefined> {
    const entry = findProvider(row.provider);
    if (entry === undefined) return undefined;
    return await runAsTenant(row.tenantId, async () => {
      const live = row.live === null ? undefined : await stores.connections.openCredentials('connections', row.connectionId, row.live);
      const draft = row.draft === null ? undefined : await stores.connections.openCredentials('connection_drafts', row.connectionId, row.draft);
      const previous = await Promise.all(
        row.previous
          .filter((secret) => new Date(secret.expiresAt) > now)
          .map(async (secret) => ({ value: await stores.previousSecrets.open(row.connectionId, toPrevious(secret)), expiresAt: new Date(secret.expiresAt).toISOString() })),
      );
      // A draft's secret counts too: a provider that was told the new one signs with it before we have heard that it agreed.
      const current = [live, draft].flatMap((credentials) => credentials?.[entry.webhook.secretField] ?? []).map((value) => ({ value, expiresAt: null }));
      const tokenField = entry.webhook.handshake?.tokenField;
      return {
        tenantId: row.tenantId,
        connectionId: row.connectionId,
        provider: row.provider,
        status: row.status,
        version: row.version,
        routingIdentifiers: row.routingIdentifiers,
        // A place in an account of the platform has no secret of its own: the account's verifies all of them.
        webhookSecrets: (ofPlatform ?? [...current, ...previous]).filter((secret, index, all) => all.findIndex((other) => other.value === secret.value) === index),
        // The newest one: a handshake happens when the tenant sets up what it just posted.
        verifyToken: tokenField === undefined ? null : (draft?.[tokenField] ?? live?.[tokenField] ?? null),
        ...answerSettingsOf(entry, row),
      };
    });
  }

  async function openPlatform(platformConnectionId: string, provider: ProviderId, now: Date): Promise<WebhookSecrets> {
    const account = await stores.platformConnections.openAccount(platformConnectionId);
    const current = account?.credentials[findProvider(provider)?.webhook.secretField ?? ''];
    return [...(current === undefined ? [] : [{ value: current, expiresAt: null }]), ...(await stores.platformConnections.listSecrets(platformConnectionId, now))];
  }

  const openAll = async (rows: readonly Row[], now: Date): Promise<WebhookConnection[]> => {
    const connections: WebhookConnection[] = [];
    const ofPlatform = new Map<string, WebhookSecrets>();
    // One after the other: each may take a database connection for its tenant's key.
    for (const row of rows) {
      const id = row.platformConnectionId;
      if (id !== null && !ofPlatform.has(id)) ofPlatform.set(id, await openPlatform(id, row.provider, now));
      const connection = await open(row, id === null ? undefined : ofPlatform.get(id), now);
      if (connection !== undefined) connections.push(connection);
    }
    return connections;
  };

  return {
    find: async (query: WebhookConnectionQuery, now: Date): Promise<WebhookConnection[]> => {
      const identifiers = query.routingIdentifiers;
      const rows = await read(
        // A union of look-ups that each have their index; one condition over all of them would read every connection.
        `c.connection_id in (
           select unnest($1::text[])
           union
           select owner.connection_id from unnest($2::text[], $3::text[], $4::text[]) as wanted (provider, name, value)
             join connections owner on owner.provider = wanted.provider and owner.routing_identifiers @> jsonb_build_object(wanted.name, wanted.value)
            where owner.status = 'active'
           union
           select known.connection_id from connections known where known.handshake_token_hash = $6 and known.provider = $5 and known.status <> 'disabled'
           union
           select posted.connection_id from connection_drafts posted join connections known using (tenant_id, connection_id)
            where posted.handshake_token_hash = $6 and known.provider = $5 and known.status <> 'disabled')`,
        [
          query.connectionIds,
          identifiers.map((identifier) => identifier.provider),
          identifiers.map((identifier) => identifier.name),
          identifiers.map((identifier) => identifier.value),
          query.handshake?.provider ?? null,
          query.handshake?.tokenHash ?? null,
        ],
      );
      return await openAll(rows, now);
    },

    list: async (page: { readonly limit: number; readonly afterId: string | undefined }, now: Date): Promise<{ connections: WebhookConnection[]; lastId: string | undefined }> => {
      const rows = await read('c.connection_id > $1', [page.afterId ?? ''], page.limit);
      return { connections: await openAll(rows, now), lastId: rows.length === page.limit ? rows.at(-1)?.connectionId : undefined };
    },
  };
}
export type WebhookConnectionStore = ReturnType<typeof createWebhookConnectionStore>;

type WebhookSecrets = WebhookConnection['webhookSecrets'];

type Row = {
  tenantId: TenantId;
  connectionId: ConnectionId;
  provider: ProviderId;
  status: ConnectionStatus;
  version: number;
  routingIdentifiers: Record<string, string>;
  settings: Record<string, string>;
  /** Where the connection shares an account of the platform; one that the hub made in such an account has secrets of its own. */
  platformConnectionId: string | null;
  live: Uint8Array | null;
  draft: Uint8Array | null;
  previous: { secretId: string; sealed: string; expiresAt: string }[];
};

const select = `
  select c.tenant_id as "tenantId", c.connection_id as "connectionId", c.provider, c.status, c.version, c.routing_identifiers as "routingIdentifiers", c.settings,
         case when c.settings ->> 'mode' = 'shared' then c.platform_connection_id end as "platformConnectionId",
         c.sealed_credentials as live, d.sealed_credentials as draft,
         coalesce((select jsonb_agg(jsonb_build_object('secretId', p.secret_id, 'sealed', encode(p.sealed_secret, 'base64'), 'expiresAt', p.expires_at) order by p.secret_id desc)
                     from previous_webhook_secrets p where p.tenant_id = c.tenant_id and p.connection_id = c.connection_id), '[]') as previous
    from connections c left join connection_drafts d using (tenant_id, connection_id)`;

/** What ingest answers webhooks from, where the provider acts by an answer: named by the registry, and never a secret. */
function answerSettingsOf(entry: ProviderEntry, { settings, routingIdentifiers }: Row): Pick<WebhookConnection, 'answerSettings'> {
  const names = entry.webhook.answerSettings;
  if (names === undefined) return {};
  const given: Readonly<Record<string, string>> = { ...routingIdentifiers, ...settings };
  return { answerSettings: Object.fromEntries(names.flatMap((name): [string, string][] => (given[name] === undefined ? [] : [[name, given[name]]]))) };
}

/** Nobody makes a copy any more of what is being erased. */
const isKept = 'not exists (select from tenants t where t.tenant_id = c.tenant_id and t.erasure_id is not null)';

function toPrevious(secret: Row['previous'][number]): PreviousSecret {
  return { secretId: secret.secretId, sealedSecret: Buffer.from(secret.sealed, 'base64'), expiresAt: new Date(secret.expiresAt) };
}
