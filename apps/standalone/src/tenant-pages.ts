import type { TenantId } from '@switchboard/contracts';
import type { Database } from '@switchboard/db';
import { runAsSystem } from '@switchboard/tenant-context';

/** All tenants there are, page by page, from tenant-service's own database. */
export async function* tenantPages(db: Database<unknown>, limit: number): AsyncGenerator<TenantId[]> {
  for (let after = ''; ; ) {
    const page = await runAsSystem('a command of the platform goes over all tenants', () =>
      db.transaction(() => db.sql.query<{ tenantId: TenantId }>('select tenant_id as "tenantId" from tenants where tenant_id > $1 order by tenant_id limit $2', [after, limit])),
    );
    const last = page.at(-1);
    if (last === undefined) return;
    yield page.map(({ tenantId }) => tenantId);
    after = last.tenantId;
  }
}
