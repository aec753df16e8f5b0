import { putRoutes } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import type { Dependencies } from '../app.ts';
import { chooseRoutes } from '../routing/update-routes.ts';

export function putRoutesRoute(deps: Dependencies): Route {
  return defineRoute(putRoutes, async ({ body }) => {
    const { version, source } = await chooseRoutes(deps, body.routes);
    return { version, source, routes: await deps.routes.list() };
  });
}
