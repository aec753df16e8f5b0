import { resolveTenant } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import { runAsSystem } from '@switchboard/tenant-context';
import type { Dependencies } from '../../app.ts';

export function resolveTenantRoute({ tenantFacts }: Dependencies): Route {
  return defineRoute(resolveTenant, ({ body }) => runAsSystem('which tenant this is, is what is asked for', async () => ({ tenant: (await tenantFacts.find(body)) ?? null })));
}
