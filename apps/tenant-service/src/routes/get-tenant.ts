import { getTenant } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import type { Dependencies } from '../app.ts';

export function getTenantRoute({ tenants }: Dependencies): Route {
  return defineRoute(getTenant, () => tenants.load());
}
