import { getConnectionInternal, hubError } from '@switchboard/contracts';
import { findProvider } from '@switchboard/providers';
import { defineRoute, type Route } from '@switchboard/service-kit';
import { currentTenant } from '@switchboard/tenant-context';
import type { Dependencies } from '../../app.ts';
import { effectiveAccount } from '../../platform/platform-account.ts';

/** As the tenant of the token: another tenant's connection does not exist. A place in an account of the platform comes with what it needs of that one. */
export function getConnectionInternalRoute({ connections, platformConnections }: Dependencies): Route {
  return defineRoute(getConnectionInternal, async ({ params }) => {
    const tenantId = currentTenant();
    const connection = await connections.findInUse(params.connectionId);
    if (connection === undefined) throw hubError('connection.not_found');
    const { connectionId, provider, role, status, version, routingIdentifiers, settings, account: own } = connection;
    // Credentials that the provider has not confirmed are nobody's to use.
    const account = own && (await effectiveAccount({ platformConnections }, own, findProvider(provider)?.webhook.secretField ?? ''));
    return { tenantId, connectionId, provider, role, status, version, routingIdentifiers: { ...routingIdentifiers }, settings: { ...(account?.settings ?? settings) }, credentials: { ...account?.credentials } };
  });
}
