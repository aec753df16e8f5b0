import { listTenants } from '@switchboard/contracts';
import { defineRoute, pageOfRows, readCursor, type Route } from '@switchboard/service-kit';
import type { Dependencies } from '../app.ts';

export function listTenantsRoute({ tenants }: Dependencies): Route {
  return defineRoute(listTenants, async ({ query: { limit, cursor, ...filter } }) => pageOfRows(await tenants.list(limit + 1, readCursor(cursor), filter), limit, (tenant) => tenant.tenant_id));
}
