import { hubError, type Route } from '@switchboard/contracts';
import type { EventBus } from '@switchboard/event-bus';
import { currentTenant } from '@switchboard/tenant-context';
import { decideRoutes, faultsOfRoutes } from '../domain/decide-routes.ts';
import type { Audit } from '../store/audit.ts';
import type { TenantDatabase } from '../store/client.ts';
import type { ConnectionStore } from '../store/connections.ts';
import type { RouteStore } from '../store/routes.ts';
import type { RoutesState, TenantStore } from '../store/tenants.ts';

export type RoutingDependencies = {
  readonly db: TenantDatabase;
  readonly bus: EventBus;
  readonly tenants: TenantStore;
  readonly connections: ConnectionStore;
  readonly routes: RouteStore;
  readonly audit: Audit;
};

/**
 * After a connection became active or ceased to be, inside its transaction: makes the tenant's route where there is only one way, and tells everybody that
 * keeps routes to load them and the connections again.
 */
export async function updateAutomaticRoutes(deps: RoutingDependencies): Promise<void> {
  const { tenants, connections, routes, audit } = deps;
  const [state, all, current] = [await tenants.loadRoutesState(), await connections.list(), await routes.list()];
  const decided = decideRoutes(state.source, all, current);
  if (decided !== undefined) {
    await routes.replaceAll(decided);
    await audit.append({ actor: 'hub', action: 'routes.changed', subject: currentTenant(), before: { routes: current }, after: { routes: decided }, facts: { routes: decided.length } });
  }
  await publishRoutes(deps, state.source);
}

/** Replaces the current tenant's routes by what it chose. Throws `route.invalid` with the fields that do not fit. */
export async function chooseRoutes(deps: RoutingDependencies, chosen: readonly Route[]): Promise<RoutesState> {
  const { db, tenants, connections, routes, audit } = deps;
  return await db.transaction(async () => {
    await tenants.lock();
    const issues = faultsOfRoutes(chosen, await connections.list());
    if (issues.length > 0) throw hubError('route.invalid', { issues });
    const before = await routes.list();
    await routes.replaceAll(chosen);
    await audit.append({ action: 'routes.changed', subject: currentTenant(), before: { routes: before }, after: { routes: chosen }, facts: { routes: chosen.length } });
    await publishRoutes(deps, 'chosen');
    return await tenants.loadRoutesState();
  });
}

/** Makes the next version of the current tenant's routes and tells of it; inside their transaction. */
export async function publishRoutes({ tenants, bus }: RoutingDependencies, source: RoutesState['source']): Promise<void> {
  const version = await tenants.bumpRoutes(source);
  await bus.publish('routes.changed', { version }, { orderingKey: currentTenant() });
}
