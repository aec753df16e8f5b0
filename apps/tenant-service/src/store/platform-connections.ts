import { newId, type ConnectionId, type PlatformConnectionId, type ProviderId, type Role, type TenantId } from '@switchboard/contracts';
import type { PlatformBox, PlatformSealed } from '@switchboard/secrets';
import type { Account } from '../providers/connect-strategy.ts';
import type { TenantDatabase } from './client.ts';
import type { ConnectionStatus } from './connections.ts';

export type PlatformConnection = Omit<Account, 'credentials'> & {
  readonly platformConnectionId: PlatformConnectionId;
  readonly provider: ProviderId;
  readonly name: string;
  readonly isOpen: boolean;
  readonly inboxesMax: number | null;
  readonly version: number;
  readonly checkedAt: Date;
  /** What was wrong when the provider was asked last. */
  readonly checkReason: string | null;
  readonly toldVersion: number;
  readonly toldUntil: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Connections of tenants that have a place there, and how many tenants those are. */
  readonly inboxes: number;
  readonly tenants: number;
  /** Accounts that the hub made in it for them. */
  readonly subaccounts: number;
};

/** A tenant's connection that has a place in an account of the platform. */
export type Place = { readonly tenantId: TenantId; readonly connectionId: ConnectionId; readonly role: Role; readonly status: ConnectionStatus; readonly inboxId: string | null };

type Sealed = { readonly sealed: Buffer; readonly keyId: string; readonly wrapped: Buffer };

const columns = `p.platform_connection_id as "platformConnectionId", p.provider, p.name, p.is_open as "isOpen", p.inboxes_max as "inboxesMax", p.version,
  p.routing_identifiers as "routingIdentifiers", p.settings, p.checked_at as "checkedAt", p.check_reason as "checkReason",
  p.told_version as "toldVersion", p.told_until as "toldUntil", p.created_at as "createdAt", p.updated_at as "updatedAt", used.inboxes, used.tenants, used.subaccounts`;
const fromUsed = `from platform_connections p cross join lateral (
  select count(*)::int as inboxes, count(distinct c.tenant_id)::int as tenants, count(distinct c.routing_identifiers ->> 'accountSid')::int as subaccounts from connections c where c.platform_connection_id = p.platform_connection_id) used`;

/** No tenant has this id: tenant ids have no brackets. In the list of owned accounts it stands for the platform. */
const platformAsOwner = '(platform)';

/** Rows of `platform_connections` and the secrets beside them: the platform's own accounts. In system scope; everything that writes runs inside a transaction. */
export function createPlatformConnectionStore(db: TenantDatabase, box: PlatformBox) {
  const placeOf = (platformConnectionId: string) => ({ table: 'platform_connections', column: 'sealed_secret', row: platformConnectionId });
  const placeOfSecret = (secretId: string) => ({ table: 'platform_webhook_secrets', column: 'sealed_secret', row: secretId });
  const seal = (platformConnectionId: string, credentials: Account['credentials']) => box.seal(JSON.stringify(credentials), placeOf(platformConnectionId));
  const toSealed = ({ sealed, keyId, wrapped }: Sealed): PlatformSealed => ({ sealed: Buffer.from(sealed), keyId, wrapped: Buffer.from(wrapped) });

  return {
    async insert(connection: Pick<PlatformConnection, 'platformConnectionId' | 'provider' | 'name' | 'isOpen' | 'inboxesMax'> & { readonly account: Account; readonly at: Date }): Promise<void> {
      const { platformConnectionId, provider, name, isOpen, inboxesMax, account, at } = connection;
      const { sealed, keyId, wrapped } = await seal(platformConnectionId, account.credentials);
      await db.sql.query(
        `insert into platform_connections (platform_connection_id, provider, name, is_open, inboxes_max, version, told_version, routing_identifiers, settings, sealed_secret, wrapped_by, wrapped, checked_at, created_at, updated_at)
         values ($1, $2, $3, $4, $5, 1, 1, $6, $7, $8, $9, $10, $11, $11, $11)`,
        [platformConnectionId, provider, name, isOpen, inboxesMax, JSON.stringify(account.routingIdentifiers), JSON.stringify(account.settings), sealed, keyId, wrapped, at],
      );
    },

    find: (platformConnectionId: string): Promise<PlatformConnection | undefined> =>
      db.transaction(async () => (await db.sql.query<PlatformConnection>(`select ${columns} ${fromUsed} where p.platform_connection_id = $1`, [platformConnectionId]))[0]),

    /** Oldest first. */
    list: (options: { readonly limit?: number; readonly afterId?: string | undefined } = {}): Promise<PlatformConnection[]> =>
      db.transaction(() => db.sql.query<PlatformConnection>(`select ${columns} ${fromUsed} where p.platform_connection_id > $1 order by p.platform_connection_id limit $2`, [options.afterId ?? '', options.limit ?? 1000])),

    /** Nobody else changes it, or takes a place in it, until the transaction ends. False when there is none. */
    async lock(platformConnectionId: string): Promise<boolean> {
      return (await db.sql.query('select from platform_connections where platform_connection_id = $1 for update', [platformConnectionId])).length > 0;
    },

    /** The account with its secrets; undefined when there is none. */
    openAccount: (platformConnectionId: string): Promise<Account | undefined> =>
      db.transaction(async () => {
        const [row] = await db.sql.query<Sealed & Omit<Account, 'credentials'>>(
          'select routing_identifiers as "routingIdentifiers", settings, sealed_secret as sealed, wrapped_by as "keyId", wrapped from platform_connections where platform_connection_id = $1',
          [platformConnectionId],
        );
        if (row === undefined) return undefined;
        // The cast is safe: `seal` above wrote it, and the seal proves that.
        const credentials = JSON.parse(await box.open(toSealed(row), placeOf(platformConnectionId))) as Record<string, string>;
        return { routingIdentifiers: row.routingIdentifiers, settings: row.settings, credentials };
      }),

    /** Changes what the platform says of it; undefined leaves a field as it is. */
    async update(platformConnectionId: string, change: { readonly name?: string | undefined; readonly isOpen?: boolean | undefined; readonly inboxesMax?: number | null | undefined }, at: Date): Promise<void> {
      await db.sql.query(
        `update platform_connections set name = coalesce($2, name), is_open = coalesce($3, is_open), inboxes_max = case when $4 then $5 else inboxes_max end, updated_at = $6 where platform_connection_id = $1`,
        [platformConnectionId, change.name ?? null, change.isOpen ?? null, change.inboxesMax !== undefined, change.inboxesMax ?? null, at],
      );
    },

    /** Puts another account in its place: tenants' connections there are to be told. */
    async replaceAccount(platformConnectionId: string, account: Account, at: Date): Promise<void> {
      const { sealed, keyId, wrapped } = await seal(platformConnectionId, account.credentials);
      await db.sql.query(
        `update platform_connections set version = version + 1, told_until = null, routing_identifiers = $2, settings = $3, sealed_secret = $4, wrapped_by = $5, wrapped = $6, checked_at = $7, check_reason = null, updated_at = $7
          where platform_connection_id = $1`,
        [platformConnectionId, JSON.stringify(account.routingIdentifiers), JSON.stringify(account.settings), sealed, keyId, wrapped, at],
      );
    },

    /** Something of it changed: tenants' connections there are to be told. */
    async touch(platformConnectionId: string, at: Date): Promise<void> {
      await db.sql.query('update platform_connections set version = version + 1, told_until = null, updated_at = $2 where platform_connection_id = $1', [platformConnectionId, at]);
    },

    noteCheck: (platformConnectionId: string, reason: string | null, at: Date): Promise<void> =>
      db.transaction(async () => {
        await db.sql.query('update platform_connections set checked_at = $3, check_reason = $2 where platform_connection_id = $1', [platformConnectionId, reason, at]);
      }),

    /** How far tenants' connections have been told of a version; `until` null: all of them. */
    noteTold: (platformConnectionId: string, version: number, until: string | null): Promise<void> =>
      db.transaction(async () => {
        await db.sql.query('update platform_connections set told_until = $3, told_version = case when $3::text is null then $2 else told_version end where platform_connection_id = $1 and version = $2', [platformConnectionId, version, until]);
      }),

    async remove(platformConnectionId: string): Promise<void> {
      await db.sql.query('delete from platform_connections where platform_connection_id = $1', [platformConnectionId]);
    },

    /** Connections of tenants that have a place there, after an id. */
    listPlaces: (platformConnectionId: string, page: { readonly limit: number; readonly afterId?: string | undefined }): Promise<Place[]> =>
      db.transaction(() =>
        db.sql.query<Place>(
          `select tenant_id as "tenantId", connection_id as "connectionId", role, status, settings ->> 'inboxId' as "inboxId" from connections
            where platform_connection_id = $1 and connection_id > $2 order by connection_id limit $3`,
          [platformConnectionId, page.afterId ?? '', page.limit],
        ),
      ),

    /** In which account of the platform the connection has its place. */
    placeOf: (connectionId: ConnectionId): Promise<string | undefined> =>
      db.transaction(async () => (await db.sql.query<{ id: string | null }>('select platform_connection_id as id from connections where connection_id = $1', [connectionId]))[0]?.id ?? undefined),

    /** Accounts with room for one more, the least loaded first; nobody else takes a place in them until the transaction ends. */
    async lockOpen(provider: ProviderId, wanted: string | undefined): Promise<string[]> {
      // First the locks, in one order for everybody; then what is used, as it stays.
      await db.sql.query('select from platform_connections where provider = $1 and is_open order by platform_connection_id for update', [provider]);
      const rows = await db.sql.query<{ id: string }>(
        `select p.platform_connection_id as id ${fromUsed} where p.provider = $1 and p.is_open and ($2::text is null or p.platform_connection_id = $2) and used.inboxes < coalesce(p.inboxes_max, used.inboxes + 1)
          order by used.inboxes, p.platform_connection_id`,
        [provider, wanted ?? null],
      );
      return rows.map(({ id }) => id);
    },

    async givePlace(connectionId: ConnectionId, platformConnectionId: string): Promise<void> {
      await db.sql.query('update connections set platform_connection_id = $2 where connection_id = $1', [connectionId, platformConnectionId]);
    },

    /** Makes the platform the owner of accounts, so that no tenant can be; false when one of them has an owner. The unique key decides. */
    async claim(provider: ProviderId, identifiers: readonly { readonly name: string; readonly value: string }[]): Promise<boolean> {
      const rows = await db.sql.query(
        `insert into owned_identifiers (tenant_id, provider, name, value, proof) select $1, $2, name, value, 'provider' from unnest($3::text[], $4::text[]) as claimed (name, value) on conflict do nothing returning 1`,
        [platformAsOwner, provider, identifiers.map(({ name }) => name), identifiers.map(({ value }) => value)],
      );
      return rows.length === identifiers.length;
    },

    async release(provider: ProviderId, identifiers: readonly { readonly name: string; readonly value: string }[]): Promise<void> {
      await db.sql.query('delete from owned_identifiers where tenant_id = $1 and provider = $2 and (name, value) in (select * from unnest($3::text[], $4::text[]))', [
        platformAsOwner,
        provider,
        identifiers.map(({ name }) => name),
        identifiers.map(({ value }) => value),
      ]);
    },

    /** A webhook secret that was replaced stays valid until then. */
    async keepSecret(platformConnectionId: string, secret: string, expiresAt: Date): Promise<void> {
      const secretId = newId('whs');
      const { sealed, keyId, wrapped } = await box.seal(secret, placeOfSecret(secretId));
      await db.sql.query('insert into platform_webhook_secrets (secret_id, platform_connection_id, sealed_secret, wrapped_by, wrapped, expires_at) values ($1, $2, $3, $4, $5, $6)', [secretId, platformConnectionId, sealed, keyId, wrapped, expiresAt]);
    },

    /** Replaced secrets that are still valid, the youngest first. */
    listSecrets: (platformConnectionId: string, now: Date): Promise<{ value: string; expiresAt: string }[]> =>
      db.transaction(async () => {
        const rows = await db.sql.query<Sealed & { secretId: string; expiresAt: Date }>(
          'select secret_id as "secretId", sealed_secret as sealed, wrapped_by as "keyId", wrapped, expires_at as "expiresAt" from platform_webhook_secrets where platform_connection_id = $1 and expires_at > $2 order by secret_id desc',
          [platformConnectionId, now],
        );
        return await Promise.all(rows.map(async (row) => ({ value: await box.open(toSealed(row), placeOfSecret(row.secretId)), expiresAt: row.expiresAt.toISOString() })));
      }),

    deleteExpiredSecrets: (now: Date): Promise<void> =>
      db.transaction(async () => {
        await db.sql.query('delete from platform_webhook_secrets where expires_at < $1', [now]);
      }),
  };
}
export type PlatformConnectionStore = ReturnType<typeof createPlatformConnectionStore>;
