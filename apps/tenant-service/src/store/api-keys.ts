import type { ApiKeyId, ResolvedApiKey, Scope, TenantFacts, TenantId } from '@switchboard/contracts';
import { currentTenant } from '@switchboard/tenant-context';
import type { TenantDatabase } from './client.ts';
import type { ApiKey } from './generated/client.ts';

export type StoredApiKey = ResolvedApiKey & { readonly keyId: ApiKeyId; readonly hash: string; readonly revokedAt: Date | null; readonly lastUsedAt: Date | null };

export type NewApiKey = {
  readonly keyId: ApiKeyId;
  readonly hash: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: Date;
  readonly name?: string;
  readonly cidrs?: readonly string[];
  readonly rateLimit?: number | null;
  readonly expiresAt?: Date | null;
  /** Where the request has an Idempotency-Key: its hash, and that of what was asked for. */
  readonly creationKey?: string;
  readonly creationRequest?: string;
};

/** A key as its tenant may see it: nothing that opens anything. */
export type KeptApiKey = Omit<ApiKey, 'hash' | 'legacyHash' | 'creationKey' | 'creationRequest' | 'keyId' | 'replacedBy'> & { readonly keyId: ApiKeyId; readonly replacedBy: ApiKeyId | null; readonly isLegacy: boolean };

/** Milliseconds between two notes that a key was used: they are for people, and need no write per request. */
const lastUsedEveryMs = 60_000;

/** Rows of `api_keys`: hashes, never keys. */
export function createApiKeyStore(db: TenantDatabase) {
  return {
    /** Inside a transaction of the key's tenant. */
    async insert(key: NewApiKey): Promise<KeptApiKey> {
      return toKept(await db.prisma.apiKey.create({ data: { ...key, scopes: [...key.scopes], cidrs: [...(key.cidrs ?? [])], tenantId: currentTenant() } }));
    },

    /** One of the current tenant. */
    findOwn: (keyId: ApiKeyId): Promise<KeptApiKey | undefined> =>
      db.transaction(async () => {
        const row = await db.prisma.apiKey.findFirst({ where: { tenantId: currentTenant(), keyId } });
        return row === null ? undefined : toKept(row);
      }),

    /** The same, and nobody else changes it until the transaction ends. */
    async lockOwn(keyId: ApiKeyId): Promise<KeptApiKey | undefined> {
      const rows = await db.sql.query('select from api_keys where tenant_id = $1 and key_id = $2 for update', [currentTenant(), keyId]);
      return rows.length === 0 ? undefined : await this.findOwn(keyId);
    },

    /** Keys of the current tenant, oldest first. */
    list: (limit: number, afterId: string | undefined): Promise<KeptApiKey[]> =>
      db.transaction(async () => {
        const rows = await db.prisma.apiKey.findMany({ where: { tenantId: currentTenant(), ...(afterId === undefined ? {} : { keyId: { gt: afterId } }) }, orderBy: { keyId: 'asc' }, take: limit });
        return rows.map(toKept);
      }),

    /** How many keys of the current tenant open something; inside a transaction. */
    countActive: (now: Date): Promise<number> => db.prisma.apiKey.count({ where: { tenantId: currentTenant(), revokedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: now } }] } }),

    /** The current tenant's key that was made with this hash of an Idempotency-Key, and what was asked for; inside a transaction. */
    async findByCreationKey(creationKey: string): Promise<{ readonly key: KeptApiKey; readonly request: string | null } | undefined> {
      const row = await db.prisma.apiKey.findFirst({ where: { tenantId: currentTenant(), creationKey } });
      return row === null ? undefined : { key: toKept(row), request: row.creationRequest };
    },

    /** Its Idempotency-Key may name another request; inside a transaction. */
    async forgetCreation(keyId: ApiKeyId): Promise<void> {
      await db.prisma.apiKey.updateMany({ where: { tenantId: currentTenant(), keyId }, data: { creationKey: null, creationRequest: null } });
    },

    /** Inside a transaction. */
    async update(keyId: ApiKeyId, change: { readonly expiresAt?: Date; readonly revokedAt?: Date; readonly replacedBy?: ApiKeyId }): Promise<void> {
      await db.prisma.apiKey.updateMany({ where: { tenantId: currentTenant(), keyId }, data: change });
    },

    /** Those of these keys that there are, whatever their tenants, in no order; in system scope. */
    find: (keyIds: readonly ApiKeyId[]): Promise<StoredApiKey[]> =>
      db.transaction(async () => {
        const rows = await db.sql.query<Row>(
          `select k.key_id, k.tenant_id, k.hash, k.scopes, k.expires_at, k.revoked_at, k.last_used_at, k.cidrs, k.rate_limit as key_rate_limit,
                  t.status, t.rate_limit, t.plan, t.subdomain, t.cors_origins
             from api_keys k join tenants t using (tenant_id) where k.key_id = any($1)`,
          [keyIds],
        );
        return rows.map((row) => ({
          keyId: row.key_id,
          hash: row.hash,
          scopes: row.scopes,
          expiresAt: row.expires_at?.toISOString() ?? null,
          revokedAt: row.revoked_at,
          lastUsedAt: row.last_used_at,
          cidrs: row.cidrs,
          rateLimit: row.key_rate_limit,
          tenant: { tenantId: row.tenant_id, status: row.status, rateLimit: row.rate_limit, plan: row.plan, subdomain: row.subdomain, corsOrigins: row.cors_origins },
        }));
      }),

    /** The key that was brought along and has this hash, whatever its tenant; in system scope. */
    findLegacyId: (hash: string): Promise<ApiKeyId | undefined> =>
      db.transaction(async () => {
        const [row] = await db.sql.query<{ key_id: ApiKeyId }>('select key_id from api_keys where legacy_hash = $1', [hash]);
        return row?.key_id;
      }),

    /** Whether any tenant has brought a key along; in system scope. */
    hasLegacy: (): Promise<boolean> =>
      db.transaction(async () => {
        const rows = await db.sql.query('select from api_keys where legacy_hash is not null and revoked_at is null limit 1');
        return rows.length > 0;
      }),

    /** Notes that these keys were used, those of which that was not noted in the last minute; in system scope. */
    async noteUse(keys: readonly Pick<StoredApiKey, 'keyId' | 'lastUsedAt'>[], at: Date): Promise<void> {
      const before = new Date(at.getTime() - lastUsedEveryMs);
      const due = keys.filter(({ lastUsedAt }) => lastUsedAt === null || lastUsedAt < before).map(({ keyId }) => keyId);
      if (due.length === 0) return;
      // A key that somebody else is noting or changing right now is left to them: nobody waits for a note.
      await db.transaction(async () => {
        await db.sql.query(
          `update api_keys set last_used_at = $2 where key_id in
             (select key_id from api_keys where key_id = any($1) and (last_used_at is null or last_used_at < $3) for update skip locked)`,
          [due, at, before],
        );
      });
    },
  };
}
export type ApiKeyStore = ReturnType<typeof createApiKeyStore>;

function toKept({ hash: _hash, creationKey: _key, creationRequest: _request, legacyHash, ...row }: ApiKey): KeptApiKey {
  // The casts are safe: ids are written from the same types, and from nowhere else.
  return { ...row, keyId: row.keyId as ApiKeyId, replacedBy: row.replacedBy as ApiKeyId | null, isLegacy: legacyHash !== null };
}

type Row = {
  key_id: ApiKeyId;
  tenant_id: TenantId;
  hash: string;
  scopes: string[];
  expires_at: Date | null;
  revoked_at: Date | null;
  last_used_at: Date | null;
  status: TenantFacts['status'];
  rate_limit: number;
  plan: TenantFacts['plan'];
  subdomain: string | null;
  cidrs: string[];
  key_rate_limit: number | null;
  cors_origins: string[];
};
