import { findCorsOrigin } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import { runAsSystem } from '@switchboard/tenant-context';
import type { Dependencies } from '../../app.ts';

export function findCorsOriginRoute({ tenantFacts }: Dependencies): Route {
  return defineRoute(findCorsOrigin, ({ body }) => runAsSystem('whether any tenant allows the origin is what is asked for', async () => ({ isAllowed: await tenantFacts.isOriginAllowed(body.origin) })));
}
