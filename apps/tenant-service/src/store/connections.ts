import type { ConnectionHealth, ConnectionId, ProviderId, Role, TenantId } from '@switchboard/contracts';
import type { SecretBox } from '@switchboard/secrets';
import { currentTenant } from '@switchboard/tenant-context';
import type { Account } from '../providers/connect-strategy.ts';
import type { TenantDatabase } from './client.ts';
import { toHealth } from './connection-health.ts';
import type { ConnectionDraft, ConnectionHealth as HealthRow, Prisma, Connection as ConnectionRow } from './generated/client.ts';

export type ConnectionStatus = 'active' | 'pending' | 'disabled';

/** Facts of an account without its secrets. */
type AccountFacts = Omit<Account, 'credentials'>;

export type StoredConnection = AccountFacts & {
  readonly connectionId: ConnectionId;
  readonly name: string | null;
  readonly provider: ProviderId;
  readonly role: Role;
  readonly status: ConnectionStatus;
  readonly version: number;
  /** Of the account that the provider has confirmed; while there is one, its identifiers are this tenant's. */
  readonly sealedCredentials: Uint8Array | null;
  readonly health: ConnectionHealth;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Credentials that were posted and are not confirmed yet. */
  readonly draft: StoredDraft | undefined;
};

export type ConnectionInUse = Pick<StoredConnection, 'connectionId' | 'provider' | 'role' | 'status' | 'version' | 'routingIdentifiers' | 'settings'> & {
  /** Undefined before the provider has confirmed one. */
  readonly account: Account | undefined;
};

export type StoredDraft = AccountFacts & {
  readonly draftId: string;
  readonly sealedCredentials: Uint8Array;
  readonly reason: string;
  readonly attempts: number;
  readonly nextCheckAt: Date | null;
};

type SealedTable = 'connections' | 'connection_drafts';

const withDraft = { draft: true, health: true } as const;

/** Rows of `connections` and `connection_drafts`, of the current tenant. Everything that writes runs inside a transaction. */
export function createConnectionStore(db: TenantDatabase, secretBox: SecretBox) {
  const place = (table: SealedTable, connectionId: ConnectionId) => ({ table, column: 'sealed_credentials', row: connectionId });
  const seal = async (table: SealedTable, connectionId: ConnectionId, account: Account) =>
    new Uint8Array(await secretBox.seal(JSON.stringify(account.credentials), place(table, connectionId)));
  const open = async (table: SealedTable, connectionId: ConnectionId, bytes: Uint8Array) =>
    // The cast is safe: `seal` above wrote it, and the seal proves that.
    JSON.parse(await secretBox.open(bytes, place(table, connectionId))) as Record<string, string>;

  return {
    /** The secret fields of a sealed account; as its tenant. */
    openCredentials: open,

    find: (connectionId: ConnectionId): Promise<StoredConnection | undefined> =>
      db.transaction(async () => {
        const row = await db.prisma.connection.findUnique({ where: { tenantId_connectionId: { tenantId: currentTenant(), connectionId } }, include: withDraft });
        return row === null ? undefined : toConnection(row);
      }),

    /**
     * What works with the connection's provider, without drafts and health, and its account in use with the secrets: one trip to the database, because
     * a message that is the first of its minute waits for it in each connector.
     */
    findInUse: (connectionId: ConnectionId): Promise<ConnectionInUse | undefined> =>
      db.transaction(async () => {
        const [row] = await db.sql.query<Omit<ConnectionInUse, 'account'> & { readonly sealed: Uint8Array | null }>(
          `select connection_id as "connectionId", provider, role, status, version, routing_identifiers as "routingIdentifiers", settings, sealed_credentials as sealed
             from connections where tenant_id = $1 and connection_id = $2`,
          [currentTenant(), connectionId],
        );
        if (row === undefined) return undefined;
        const { sealed, ...connection } = row;
        // In the same transaction: the tenant's key lies beside it.
        return { ...connection, account: sealed === null ? undefined : { ...factsOf(connection), credentials: await open('connections', connectionId, sealed) } };
      }),

    /** Oldest first: ids sort by time. */
    list: (options: { readonly provider?: ProviderId; readonly limit?: number; readonly afterId?: string } = {}): Promise<StoredConnection[]> =>
      db.transaction(async () => {
        const rows = await db.prisma.connection.findMany({
          where: { tenantId: currentTenant(), ...(options.provider && { provider: options.provider }), ...(options.afterId && { connectionId: { gt: options.afterId } }) },
          orderBy: { connectionId: 'asc' },
          ...(options.limit && { take: options.limit }),
          include: withDraft,
        });
        return rows.map(toConnection);
      }),

    /** The account in use, with its secrets; undefined before the provider has confirmed one. */
    openAccount: async (connection: StoredConnection): Promise<Account | undefined> =>
      connection.sealedCredentials === null ? undefined : { ...factsOf(connection), credentials: await open('connections', connection.connectionId, connection.sealedCredentials) },

    openDraft: async (connectionId: ConnectionId, draft: StoredDraft): Promise<Account> => ({
      ...factsOf(draft),
      credentials: await open('connection_drafts', connectionId, draft.sealedCredentials),
    }),

    async insertPending(connection: { readonly connectionId: ConnectionId; readonly provider: ProviderId; readonly role: Role; readonly account: Account; readonly at: Date }): Promise<void> {
      const { account, at, ...row } = connection;
      await db.prisma.connection.create({ data: { ...row, ...factsOf(account), tenantId: currentTenant(), status: 'pending', version: 1, createdAt: at, updatedAt: at } });
    },

    /** The connection changed: a version more, and, before it was ever confirmed, the facts it shows. */
    async touch(connectionId: ConnectionId, at: Date, change: { readonly facts?: AccountFacts | undefined; readonly status?: ConnectionStatus } = {}): Promise<number> {
      const { facts, ...rest } = change;
      const { version } = await db.prisma.connection.update({
        where: { tenantId_connectionId: { tenantId: currentTenant(), connectionId } },
        data: { version: { increment: 1 }, updatedAt: at, ...rest, ...(facts && factsOf(facts)) },
        select: { version: true },
      });
      return version;
    },

    /** Puts a draft in the place of any other one. */
    async putDraft(connectionId: ConnectionId, draft: { readonly draftId: string; readonly account: Account; readonly handshakeTokenHash: string | null; readonly reason: string; readonly attempts: number; readonly nextCheckAt: Date | null }): Promise<void> {
      const { account, ...rest } = draft;
      const data = { ...rest, ...factsOf(account), sealedCredentials: await seal('connection_drafts', connectionId, account) };
      const tenantId = currentTenant();
      await db.prisma.connectionDraft.upsert({ where: { tenantId_connectionId: { tenantId, connectionId } }, create: { ...data, tenantId, connectionId }, update: { ...data, createdAt: new Date() } });
    },

    /** Changes the draft if it is still that one. */
    async updateDraft(connectionId: ConnectionId, draftId: string, change: { readonly account?: Account; readonly reason?: string; readonly nextCheckAt?: Date | null }): Promise<void> {
      const { account, ...rest } = change;
      const data = { ...rest, ...(account && { ...factsOf(account), sealedCredentials: await seal('connection_drafts', connectionId, account) }) };
      await db.prisma.connectionDraft.updateMany({ where: { tenantId: currentTenant(), connectionId, draftId }, data });
    },

    /** The draft's account becomes the one in use; returns the new version. */
    async activate(connectionId: ConnectionId, account: Account, handshakeTokenHash: string | null, at: Date): Promise<number> {
      const tenantId = currentTenant();
      await db.prisma.connectionDraft.deleteMany({ where: { tenantId, connectionId } });
      const { version } = await db.prisma.connection.update({
        where: { tenantId_connectionId: { tenantId, connectionId } },
        data: { ...factsOf(account), status: 'active', version: { increment: 1 }, handshakeTokenHash, sealedCredentials: await seal('connections', connectionId, account), updatedAt: at },
        select: { version: true },
      });
      return version;
    },

    /** The account in use is in use no more; returns the new version. */
    async suspend(connectionId: ConnectionId, at: Date): Promise<number> {
      const { version } = await db.prisma.connection.update({
        where: { tenantId_connectionId: { tenantId: currentTenant(), connectionId } },
        data: { status: 'pending', version: { increment: 1 }, handshakeTokenHash: null, sealedCredentials: null, updatedAt: at },
        select: { version: true },
      });
      return version;
    },

    /** The name is its tenant's alone: nobody who keeps a copy needs to hear of it. */
    async rename(connectionId: ConnectionId, name: string | null, at: Date): Promise<void> {
      await db.prisma.connection.updateMany({ where: { tenantId: currentTenant(), connectionId }, data: { name, updatedAt: at } });
    },

    /** With its drafts, previous secrets and health. */
    async remove(connectionId: ConnectionId): Promise<void> {
      await db.prisma.connection.deleteMany({ where: { tenantId: currentTenant(), connectionId } });
    },

    /** Whether a connection besides those has the account, of whatever tenant: an active one, or one that the provider has ever confirmed; in system scope. */
    hasOther: (provider: ProviderId, identifier: { readonly name: string; readonly value: string }, status: 'active' | 'confirmed', except: readonly ConnectionId[]): Promise<boolean> =>
      db.transaction(async () => {
        const rows = await db.sql.query(
          `select 1 from connections where provider = $1 and (status = 'active' or ($5 and sealed_credentials is not null)) and routing_identifiers @> jsonb_build_object($2::text, $3::text) and connection_id <> all($4::text[]) limit 1`,
          [provider, identifier.name, identifier.value, except, status === 'confirmed'],
        );
        return rows.length > 0;
      }),

    /** Active connections of all tenants with something that their tenant was to do by hand, after an id; in system scope. */
    listToDoByHand: (limit: number, afterId: string): Promise<{ tenantId: TenantId; connectionId: ConnectionId }[]> =>
      db.transaction(() =>
        db.sql.query<{ tenantId: TenantId; connectionId: ConnectionId }>(
          `select tenant_id as "tenantId", connection_id as "connectionId" from connections
            where status = 'active' and connection_id > $2 and settings ? 'toDoByHand' order by connection_id limit $1`,
          [limit, afterId],
        ),
      ),

    /** Drafts that are due, of all tenants, taken by this process for `leaseMs`; in system scope. */
    claimDueDrafts: (now: Date, leaseMs: number, limit: number): Promise<{ tenantId: TenantId; connectionId: ConnectionId }[]> =>
      db.transaction(() =>
        db.sql.query<{ tenantId: TenantId; connectionId: ConnectionId }>(
          `update connection_drafts set attempts = attempts + 1, next_check_at = $2
            where (tenant_id, connection_id) in (
              select tenant_id, connection_id from connection_drafts where next_check_at <= $1 order by next_check_at limit $3 for update skip locked)
            returning tenant_id as "tenantId", connection_id as "connectionId"`,
          [now, new Date(now.getTime() + leaseMs), limit],
        ),
      ),
  };
}
export type ConnectionStore = ReturnType<typeof createConnectionStore>;

function factsOf(account: AccountFacts): { routingIdentifiers: Record<string, string>; settings: Record<string, string> } {
  return { routingIdentifiers: { ...account.routingIdentifiers }, settings: { ...account.settings } };
}

function toConnection(row: ConnectionRow & { draft: ConnectionDraft | null; health: HealthRow | null }): StoredConnection {
  // The casts are safe: these columns are written from the same types, and from nowhere else.
  return {
    connectionId: row.connectionId as ConnectionId,
    name: row.name,
    provider: row.provider as ProviderId,
    role: row.role as Role,
    status: row.status as ConnectionStatus,
    version: row.version,
    ...readFacts(row),
    sealedCredentials: row.sealedCredentials,
    health: toHealth(row.health),
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    draft: row.draft === null ? undefined : toDraft(row.draft),
  };
}

function toDraft(row: ConnectionDraft): StoredDraft {
  const { draftId, sealedCredentials, reason, attempts, nextCheckAt } = row;
  return { draftId, sealedCredentials, reason, attempts, nextCheckAt, ...readFacts(row) };
}

function readFacts(row: { routingIdentifiers: Prisma.JsonValue; settings: Prisma.JsonValue }): AccountFacts {
  return { routingIdentifiers: row.routingIdentifiers as Record<string, string>, settings: row.settings as Record<string, string> };
}
