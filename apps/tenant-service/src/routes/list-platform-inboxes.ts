import { listPlatformInboxes } from '@switchboard/contracts';
import { defineRoute, pageOfRows, readCursor, type Route } from '@switchboard/service-kit';
import type { Dependencies } from '../app.ts';
import { inSystem, loadPlatformConnection } from '../platform/dependencies.ts';

export function listPlatformInboxesRoute(deps: Dependencies): Route {
  return defineRoute(listPlatformInboxes, ({ params: { platformConnectionId }, query: { limit, cursor } }) =>
    inSystem(async () => {
      await loadPlatformConnection(deps, platformConnectionId);
      const places = await deps.platformConnections.listPlaces(platformConnectionId, { limit: limit + 1, afterId: readCursor(cursor) });
      return pageOfRows(places, limit, (place) => place.connectionId);
    }),
  );
}
