import type { ApiKeyId, Plan, TenantId, TenantRecord, TenantRouting } from '@switchboard/contracts';
import { hubError } from '@switchboard/contracts';
import { currentTenant } from '@switchboard/tenant-context';
import type { TenantDatabase } from './client.ts';
import type { Prisma, Tenant } from './generated/client.ts';

export type NewTenant = {
  readonly name: string;
  readonly subdomain: string | null;
  readonly plan: TenantRecord['plan'];
  readonly rateLimit: number;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly timeZone: string | null;
  /** Where the request has an Idempotency-Key: its hash, and what the request asked for and which key it made. */
  readonly creationKey?: string;
  readonly creation?: Creation;
};

/** What a tenant was created with. */
export type Creation = { readonly request: string; readonly keyId: ApiKeyId };

/** A tenant with what only this service needs to know of it. */
export type KeptTenant = { readonly record: TenantRecord; readonly deletedAt: Date | null; readonly isEraseBegun: boolean; readonly timeZone: string | null };

export type TenantChange = {
  readonly name?: string;
  readonly subdomain?: string | null;
  readonly status?: TenantRecord['status'];
  readonly plan?: TenantRecord['plan'];
  readonly rateLimit?: number;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly timeZone?: string;
  readonly corsOrigins?: readonly string[];
  readonly deletedAt?: Date | null;
  readonly deleteAfter?: Date | null;
};

export type TenantFilter = { readonly status?: string | undefined; readonly plan?: string | undefined; readonly text?: string | undefined };

export type RoutesState = { readonly version: number; readonly source: 'automatic' | 'chosen'; readonly timeZone: string; readonly plan: Plan };

/** Rows of `tenants`. */
export function createTenantStore(db: TenantDatabase) {
  return {
    /** Inserts the current tenant, or says what of it is taken. Two equal creations at once: one of them is told. */
    insert: (tenant: NewTenant): Promise<{ kind: 'inserted'; tenant: TenantRecord } | { kind: 'id_taken' } | { kind: 'other_taken' }> =>
      db.transaction(async () => {
        const tenantId = currentTenant();
        // The cast is safe: metadata came out of JSON.
        const { count } = await db.prisma.tenant.createMany({ data: { ...tenant, tenantId, metadata: tenant.metadata as Prisma.InputJsonObject }, skipDuplicates: true });
        const stored = await db.prisma.tenant.findUnique({ where: { tenantId } });
        if (count === 1 && stored !== null) return { kind: 'inserted', tenant: toRecord(stored) };
        // Of another tenant's row only the constraint speaks: not inserted, and not ours, means that the subdomain or the creation key is somebody else's.
        return { kind: stored === null ? 'other_taken' : 'id_taken' };
      }),

    /** The current tenant. Throws `tenant.not_found`. */
    load: (): Promise<TenantRecord> =>
      db.transaction(async () => {
        const tenant = await db.prisma.tenant.findUnique({ where: { tenantId: currentTenant() } });
        if (tenant === null) throw hubError('tenant.not_found');
        return toRecord(tenant);
      }),

    /** The current tenant, which nobody else changes until the transaction ends. Throws `tenant.not_found`. */
    async lockAndLoad(): Promise<KeptTenant> {
      await this.lock();
      const tenant = await db.prisma.tenant.findFirst({ where: { tenantId: currentTenant() } });
      if (tenant === null) throw hubError('tenant.not_found');
      return toKept(tenant);
    },

    /** Inside a transaction that has locked it. Throws `tenant.subdomain_taken`. */
    async update({ metadata, corsOrigins, ...change }: TenantChange): Promise<KeptTenant> {
      // Alone, because of another tenant's row only the constraint speaks.
      if (typeof change.subdomain === 'string') await db.sql.query('update tenants set subdomain = $2 where tenant_id = $1', [currentTenant(), change.subdomain]).catch(throwTaken);
      return toKept(
        await db.prisma.tenant.update({
          where: { tenantId: currentTenant() },
          data: {
            ...change,
            updatedAt: new Date(),
            // The cast is safe: metadata came out of JSON.
            ...(metadata === undefined ? {} : { metadata: metadata as Prisma.InputJsonObject }),
            ...(corsOrigins === undefined ? {} : { corsOrigins: [...corsOrigins] }),
          },
        }),
      );
    },

    /** All tenants after an id; in system scope. */
    list: (limit: number, afterId: string | undefined, { status, plan, text }: TenantFilter = {}): Promise<TenantRecord[]> =>
      db.transaction(async () => {
        const contains = { contains: text?.replaceAll(/[\\%_]/g, '\\$&') ?? '', mode: 'insensitive' } as const;
        const tenants = await db.prisma.tenant.findMany({
          where: {
            ...(afterId === undefined ? {} : { tenantId: { gt: afterId } }),
            ...(status === undefined ? {} : { status }),
            ...(plan === undefined ? {} : { plan }),
            ...(text === undefined ? {} : { OR: [{ tenantId: contains }, { name: contains }, { subdomain: contains }] }),
          },
          orderBy: { tenantId: 'asc' },
          take: limit,
        });
        return tenants.map(toRecord);
      }),

    /** What was created with this hash of an Idempotency-Key; in system scope. */
    findByCreationKey: (creationKey: string): Promise<{ readonly record: TenantRecord; readonly creation: Creation } | undefined> =>
      db.transaction(async () => {
        const tenant = await db.prisma.tenant.findFirst({ where: { creationKey } });
        // The cast is safe: `insert` wrote it.
        return tenant === null ? undefined : { record: toRecord(tenant), creation: tenant.creation as Creation };
      }),

    /**
     * Until the transaction ends, nobody else changes the current tenant's connections and routes: decisions over several of its rows
     * (who owns an identifier, which route follows) see them as they stay. Throws `tenant.not_found`.
     */
    async lock(): Promise<void> {
      const rows = await db.sql.query('select 1 from tenants where tenant_id = $1 for update', [currentTenant()]);
      if (rows.length === 0) throw hubError('tenant.not_found');
    },

    loadRoutesState: (): Promise<RoutesState> =>
      db.transaction(async () => {
        const tenant = await db.prisma.tenant.findUnique({ where: { tenantId: currentTenant() }, select: { routesVersion: true, routesSource: true, timeZone: true, plan: true } });
        if (tenant === null) throw hubError('tenant.not_found');
        return { version: tenant.routesVersion, source: tenant.routesSource === 'chosen' ? 'chosen' : 'automatic', timeZone: tenant.timeZone ?? 'UTC', plan: tenant.plan as Plan }; // a plan's name alone is written there
      }),

    /** What state-manager routes the current tenant's messages by: one statement, because it is asked for with the first message of each tenant's minute. */
    loadRouting: (): Promise<TenantRouting> =>
      db.transaction(async () => {
        const [routing] = await db.sql.query<TenantRouting>(
          `select routes_version as version, coalesce(time_zone, 'UTC') as "timeZone", plan,
             (select coalesce(json_agg(json_build_object('channelConnectionId', channel_connection_id, 'botConnectionId', bot_connection_id, 'deskConnectionId', desk_connection_id,
                 'startsWith', starts_with, 'settings', settings) order by channel_connection_id), '[]') from routes where routes.tenant_id = tenants.tenant_id) as routes,
             (select coalesce(json_agg(json_build_object('connectionId', connection_id, 'provider', provider, 'role', role, 'status', status,
                 'createdAt', to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) order by connection_id), '[]') from connections where connections.tenant_id = tenants.tenant_id) as connections
             from tenants where tenant_id = $1`,
          [currentTenant()],
        );
        if (routing === undefined) throw hubError('tenant.not_found');
        return routing;
      }),

    /** Makes the next version of the routes; inside a transaction. */
    async bumpRoutes(source?: RoutesState['source']): Promise<number> {
      const tenant = await db.prisma.tenant.update({
        where: { tenantId: currentTenant() },
        data: { routesVersion: { increment: 1 }, updatedAt: new Date(), ...(source === undefined ? {} : { routesSource: source }) },
        select: { routesVersion: true },
      });
      return tenant.routesVersion;
    },
  };
}
export type TenantStore = ReturnType<typeof createTenantStore>;

function throwTaken(cause: unknown): never {
  throw cause instanceof Error && 'code' in cause && cause.code === uniqueViolation ? hubError('tenant.subdomain_taken', { cause }) : cause;
}

/** Postgres' code for a value that is there already. */
const uniqueViolation = '23505';

function toKept(row: Tenant): KeptTenant {
  return { record: toRecord(row), deletedAt: row.deletedAt, isEraseBegun: row.erasureId !== null, timeZone: row.timeZone };
}

function toRecord(row: Tenant): TenantRecord {
  // The casts are safe: these columns are written from the same types, and from nowhere else.
  return {
    tenant_id: row.tenantId as TenantId,
    name: row.name,
    subdomain: row.subdomain,
    status: row.status as TenantRecord['status'],
    plan: row.plan as TenantRecord['plan'],
    rate_limit: row.rateLimit,
    metadata: row.metadata as Record<string, unknown>,
    ...(row.timeZone === null ? {} : { time_zone: row.timeZone }),
    ...(row.corsOrigins.length === 0 ? {} : { cors_origins: row.corsOrigins }),
    ...(row.deleteAfter === null ? {} : { delete_after: row.deleteAfter.toISOString() }),
    created_at: row.createdAt.toISOString(),
  };
}
