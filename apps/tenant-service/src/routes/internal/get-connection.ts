import { getConnectionInternal, hubError } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import { currentTenant } from '@switchboard/tenant-context';
import type { Dependencies } from '../../app.ts';

/** As the tenant of the token: another tenant's connection does not exist. */
export function getConnectionInternalRoute({ connections }: Dependencies): Route {
  return defineRoute(getConnectionInternal, async ({ params }) => {
    const tenantId = currentTenant();
    const connection = await connections.find(params.connectionId);
    if (connection === undefined) throw hubError('connection.not_found');
    const { connectionId, provider, role, status, version, routingIdentifiers, settings } = connection;
    // Credentials that the provider has not confirmed are nobody's to use.
    const account = await connections.openAccount(connection);
    return { tenantId, connectionId, provider, role, status, version, routingIdentifiers: { ...routingIdentifiers }, settings: { ...settings }, credentials: { ...account?.credentials } };
  });
}
