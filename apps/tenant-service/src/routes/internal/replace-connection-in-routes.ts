import { replaceConnectionInRoutes } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import type { Dependencies } from '../../app.ts';
import { replaceInRoutes } from '../../routing/replace-in-routes.ts';

export function replaceConnectionInRoutesRoute(deps: Dependencies): Route {
  return defineRoute(replaceConnectionInRoutes, ({ body }) => replaceInRoutes(deps, body));
}
