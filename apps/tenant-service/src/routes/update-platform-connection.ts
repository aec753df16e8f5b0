import { updatePlatformConnection } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import type { Dependencies } from '../app.ts';
import { changePlatformConnection } from '../platform/change-platform-connection.ts';

export function updatePlatformConnectionRoute(deps: Dependencies): Route {
  return defineRoute(updatePlatformConnection, ({ params, body }) => changePlatformConnection(deps, params.platformConnectionId, body));
}
