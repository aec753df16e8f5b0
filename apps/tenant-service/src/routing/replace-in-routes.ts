import { hubError, type ConnectionId } from '@switchboard/contracts';
import { currentTenant } from '@switchboard/tenant-context';
import { faultsOfRoutes } from '../domain/decide-routes.ts';
import { publishRoutes, type RoutingDependencies } from './update-routes.ts';

/**
 * Every route of the current tenant that names one connection names another one from now on. Who chose the routes stays who chose them. Throws
 * `connection.not_found` where there is no such other one of the same provider and role, and `route.invalid` where it has a route already.
 */
export async function replaceInRoutes(deps: RoutingDependencies, { from, to }: { readonly from: ConnectionId; readonly to: ConnectionId }): Promise<{ version: number; replaced: number }> {
  const { db, tenants, connections, routes, audit } = deps;
  return await db.transaction(async () => {
    await tenants.lock();
    const all = await connections.list();
    const [old, next] = [from, to].map((wanted) => all.find(({ connectionId }) => connectionId === wanted));
    if (next === undefined || (old !== undefined && (old.provider !== next.provider || old.role !== next.role))) throw hubError('connection.not_found');
    const before = await routes.list();
    const put = <T extends ConnectionId | null>(connectionId: T) => (connectionId === from ? to : connectionId);
    const after = before.map((route) => ({ ...route, channelConnectionId: put(route.channelConnectionId), botConnectionId: put(route.botConnectionId), deskConnectionId: put(route.deskConnectionId) }));
    const replaced = before.filter((route) => [route.channelConnectionId, route.botConnectionId, route.deskConnectionId].includes(from)).length;
    const state = await tenants.loadRoutesState();
    if (replaced === 0) return { version: state.version, replaced };
    const issues = faultsOfRoutes(after, all);
    if (issues.length > 0) throw hubError('route.invalid', { issues });
    await routes.replaceAll(after);
    await audit.append({ action: 'routes.changed', subject: currentTenant(), before: { routes: before }, after: { routes: after }, facts: { routes: after.length, from, to } });
    await publishRoutes(deps, state.source);
    return { version: (await tenants.loadRoutesState()).version, replaced };
  });
}
