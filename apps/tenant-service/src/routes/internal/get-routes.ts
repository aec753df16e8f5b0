import { getRoutesInternal } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import type { Dependencies } from '../../app.ts';

export function getRoutesInternalRoute({ tenants }: Dependencies): Route {
  return defineRoute(getRoutesInternal, () => tenants.loadRouting());
}
