import { createPlatformConnection } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import type { Dependencies } from '../app.ts';
import { connectPlatformAccount } from '../platform/create-platform-connection.ts';

export function createPlatformConnectionRoute(deps: Dependencies): Route {
  return defineRoute(createPlatformConnection, ({ body }) => connectPlatformAccount(deps, body));
}
