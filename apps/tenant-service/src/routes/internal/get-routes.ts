import { getRoutesInternal } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import type { Dependencies } from '../../app.ts';

export function getRoutesInternalRoute({ db, tenants, routes, connections }: Dependencies): Route {
  return defineRoute(getRoutesInternal, () =>
    db.transaction(async () => {
      const { version, timeZone, plan } = await tenants.loadRoutesState();
      const all = await connections.list();
      return {
        version,
        timeZone,
        plan,
        routes: await routes.list(),
        connections: all.map(({ connectionId, provider, role, status, createdAt }) => ({ connectionId, provider, role, status, createdAt: createdAt.toISOString() })),
      };
    }),
  );
}
