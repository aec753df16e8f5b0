import { listPlatformConnections } from '@switchboard/contracts';
import { defineRoute, pageOfRows, readCursor, type Route } from '@switchboard/service-kit';
import type { Dependencies } from '../app.ts';
import { inSystem } from '../platform/dependencies.ts';
import { platformRecord } from '../platform/platform-record.ts';

export function listPlatformConnectionsRoute({ platformConnections, config }: Dependencies): Route {
  return defineRoute(listPlatformConnections, ({ query: { limit, cursor } }) =>
    inSystem(async () => {
      const page = pageOfRows(await platformConnections.list({ limit: limit + 1, afterId: readCursor(cursor) }), limit, (connection) => connection.platformConnectionId);
      return { ...page, data: page.data.map((connection) => platformRecord(connection, config.publicWebhookUrl)) };
    }),
  );
}
