import { getConnection, hubError } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import type { Dependencies } from '../app.ts';
import { connectionRecord } from '../domain/connection-record.ts';

export function getConnectionRoute({ tenants, connections, config }: Dependencies): Route {
  return defineRoute(getConnection, async ({ params }) => {
    await tenants.load();
    const connection = await connections.find(params.connectionId);
    if (connection === undefined) throw hubError('connection.not_found');
    return connectionRecord(connection, config.publicWebhookUrl);
  });
}
