import { getPlatformConnection } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import type { Dependencies } from '../app.ts';
import { inSystem, loadPlatformConnection } from '../platform/dependencies.ts';
import { platformRecord } from '../platform/platform-record.ts';

export function getPlatformConnectionRoute(deps: Dependencies): Route {
  return defineRoute(getPlatformConnection, ({ params }) => inSystem(async () => platformRecord(await loadPlatformConnection(deps, params.platformConnectionId), deps.config.publicWebhookUrl)));
}
