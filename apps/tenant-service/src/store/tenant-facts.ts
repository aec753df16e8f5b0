import type { TenantFacts } from '@switchboard/contracts';
import type { TenantDatabase } from './client.ts';

/** What the gateway asks before it knows a tenant: rows of `tenants` over all tenants, in system scope. */
export function createTenantFactsStore(db: TenantDatabase) {
  return {
    find: (by: { readonly tenantId: string } | { readonly subdomain: string }): Promise<TenantFacts | undefined> =>
      db.transaction(async () => {
        const [column, value] = 'tenantId' in by ? ['tenant_id', by.tenantId] : ['subdomain', by.subdomain];
        const [tenant] = await db.sql.query<TenantFacts>(
          `select tenant_id as "tenantId", status, plan, rate_limit as "rateLimit", subdomain, cors_origins as "corsOrigins" from tenants where ${column} = $1`,
          [value],
        );
        return tenant;
      }),

    isOriginAllowed: (origin: string): Promise<boolean> =>
      db.transaction(async () => {
        const rows = await db.sql.query(`select from tenants where cors_origins @> array[$1] and status = 'active' limit 1`, [origin]);
        return rows.length > 0;
      }),
  };
}
export type TenantFactsStore = ReturnType<typeof createTenantFactsStore>;
