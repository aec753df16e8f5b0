import { deletePlatformConnection } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import type { Dependencies } from '../app.ts';
import { removePlatformConnection } from '../platform/delete-platform-connection.ts';

export function deletePlatformConnectionRoute(deps: Dependencies): Route {
  return defineRoute(deletePlatformConnection, ({ params }) => removePlatformConnection(deps, params.platformConnectionId));
}
