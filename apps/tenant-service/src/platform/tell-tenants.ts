import { isHubError, type PlatformConnectionId } from '@switchboard/contracts';
import { runAsTenant } from '@switchboard/tenant-context';
import type { Place } from '../store/platform-connections.ts';
import type { PlatformDependencies } from './dependencies.ts';

/** Connections that are told of at a time: each is a transaction of its own tenant. */
const batchSize = 50;

/**
 * Tells everybody who keeps copies that the connections with a place in an account of the platform have changed, batch by batch; it goes on where it
 * broke off. In system scope, outside a transaction.
 */
export async function tellTenants(deps: PlatformDependencies, platformConnectionId: PlatformConnectionId, batchesMax = Number.POSITIVE_INFINITY): Promise<void> {
  const { platformConnections } = deps;
  const found = await platformConnections.find(platformConnectionId);
  if (found === undefined || found.toldVersion === found.version) return;
  let afterId = found.toldUntil ?? undefined;
  for (let batch = 0; batch < batchesMax; batch++) {
    const places = await platformConnections.listPlaces(platformConnectionId, { limit: batchSize, afterId });
    await tellAll(deps, places);
    afterId = places.at(-1)?.connectionId;
    const isLast = places.length < batchSize || afterId === undefined;
    await platformConnections.noteTold(platformConnectionId, found.version, isLast ? null : afterId ?? null);
    if (isLast) return;
  }
}

/** What was not told when a request ended, by the clock. */
export async function tellAllTenants(deps: PlatformDependencies): Promise<void> {
  await deps.platformConnections.deleteExpiredSecrets(deps.now());
  for (const { platformConnectionId } of await deps.platformConnections.list()) await tellTenants(deps, platformConnectionId);
}

async function tellAll(deps: PlatformDependencies, places: readonly Place[]): Promise<void> {
  const told = await Promise.allSettled(places.map(({ tenantId, connectionId }) => runAsTenant(tenantId, () => tell(deps, connectionId))));
  // A tenant that is being erased needs to hear nothing any more.
  const failed = told.find((outcome) => outcome.status === 'rejected' && !(isHubError(outcome.reason) && outcome.reason.code.startsWith('tenant.')));
  if (failed?.status === 'rejected') throw failed.reason;
}

async function tell({ db, tenants, connections, bus, now }: PlatformDependencies, connectionId: Place['connectionId']): Promise<void> {
  await db.transaction(async () => {
    await tenants.lock();
    const connection = await connections.find(connectionId);
    if (connection === undefined) return;
    const { provider, role, status } = connection;
    const version = await connections.touch(connectionId, now());
    await bus.publish('connection.changed', { connectionId, provider, role, status, version }, { orderingKey: connectionId });
  });
}
