import { getRoutes } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import type { Dependencies } from '../app.ts';

export function getRoutesRoute({ db, tenants, routes }: Dependencies): Route {
  return defineRoute(getRoutes, () =>
    db.transaction(async () => {
      const { version, source } = await tenants.loadRoutesState();
      return { version, source, routes: await routes.list() };
    }),
  );
}
