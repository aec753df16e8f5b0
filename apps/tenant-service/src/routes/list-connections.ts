import { listConnections } from '@switchboard/contracts';
import { defineRoute, pageOfRows, readCursor, type Route } from '@switchboard/service-kit';
import type { Dependencies } from '../app.ts';
import { connectionRecord } from '../domain/connection-record.ts';

export function listConnectionsRoute({ tenants, connections, config }: Dependencies): Route {
  return defineRoute(listConnections, async ({ query: { limit, cursor } }) => {
    await tenants.load();
    const afterId = readCursor(cursor);
    const rows = await connections.list({ limit: limit + 1, ...(afterId !== undefined && { afterId }) });
    const page = pageOfRows(rows, limit, (connection) => connection.connectionId);
    return { ...page, data: page.data.map((connection) => connectionRecord(connection, config.publicWebhookUrl)) };
  });
}
