import type { ConnectionId, ReplyOf, deleteConnection } from '@switchboard/contracts';
import { findProvider } from '@switchboard/providers';
import { currentTenant } from '@switchboard/tenant-context';
import { routesWithout } from '../domain/routes-without.ts';
import type { RemoveOutcome } from '../providers/connect-strategy.ts';
import { updateAutomaticRoutes } from '../routing/update-routes.ts';
import { releaseUnused } from './check-draft.ts';
import type { AccountDependencies } from './dependencies.ts';
import { loadConnection, lockConnection } from './load-connection.ts';
import { removeAtProvider } from './remove-at-provider.ts';
import { disableConnection } from './switch-connection.ts';

/**
 * Removes a connection of the current tenant: switched off first, so that nothing is sent while it goes, then what the hub set up at the
 * provider, then its row with the credentials, its identifiers and its place in the routes. A provider that does not let go keeps nothing
 * from going here. Conversations keep its id and their history. `told`: what became of it there, where that was settled before.
 */
export async function removeConnection(deps: AccountDependencies, connectionId: ConnectionId, told?: RemoveOutcome): Promise<ReplyOf<typeof deleteConnection>> {
  await loadConnection(deps, connectionId);
  await disableConnection(deps, connectionId);
  const outcome = told ?? (await removeAtProvider(deps, await loadConnection(deps, connectionId)));
  await deps.db.transaction(() => forget(deps, connectionId, outcome));
  return { id: connectionId, atProvider: { outcome: outcome.kind, ...(outcome.reason !== undefined && { reason: outcome.reason }) } };
}

async function forget(deps: AccountDependencies, connectionId: ConnectionId, outcome: RemoveOutcome): Promise<void> {
  const { connections, routes, audit, bus } = deps;
  const { provider, role, name, routingIdentifiers, version } = await lockConnection(deps, connectionId);
  const entry = findProvider(provider);
  const before = await routes.list();
  const after = routesWithout(before, connectionId);
  const namesIt = before.some((route) => [route.channelConnectionId, route.botConnectionId, route.deskConnectionId].includes(connectionId));
  if (namesIt) await routes.replaceAll(after);
  await connections.remove(connectionId);
  if (entry !== undefined) await releaseUnused(deps, entry);
  await bus.publish('connection.changed', { connectionId, provider, role, status: 'deleted', version: version + 1 }, { orderingKey: connectionId });
  await updateAutomaticRoutes(deps);
  if (namesIt) await audit.append({ action: 'routes.changed', subject: currentTenant(), facts: { routes: after.length } });
  await audit.append({
    action: 'connection.deleted',
    subject: connectionId,
    before: { name, provider, role, routingIdentifiers },
    facts: { atProvider: outcome.kind, ...(outcome.reason !== undefined && { reason: outcome.reason }) },
  });
}
