import { hubError, type deletePlatformConnection, type PlatformConnectionId, type ReplyOf } from '@switchboard/contracts';
import { findProvider } from '@switchboard/providers';
import { withoutSecrets } from '@switchboard/secrets';
import { ownedIdentifiers } from '../accounts/post-draft.ts';
import type { RemoveOutcome } from '../providers/connect-strategy.ts';
import { findStrategy } from '../providers/find-strategy.ts';
import type { PlatformConnection } from '../store/platform-connections.ts';
import { inSystem, loadPlatformConnection, type PlatformDependencies } from './dependencies.ts';
import { platformContext } from './verify-account.ts';

/**
 * Removes an account of the platform: closed first, so that nobody takes a place while it goes, then what the hub set up there, then its row. A
 * provider that does not let go keeps nothing from going here. Throws `platform_connection.not_found`, `platform_connection.in_use`.
 */
export async function removePlatformConnection(deps: PlatformDependencies, platformConnectionId: PlatformConnectionId): Promise<ReplyOf<typeof deletePlatformConnection>> {
  const { db, platformConnections, platformAudit, now } = deps;
  return await inSystem(async () => {
    const lockUnused = async () => {
      await platformConnections.lock(platformConnectionId);
      const connection = await loadPlatformConnection(deps, platformConnectionId);
      if (connection.inboxes > 0) throw hubError('platform_connection.in_use');
      return connection;
    };
    const connection = await db.transaction(async () => {
      const unused = await lockUnused();
      await platformConnections.update(platformConnectionId, { isOpen: false }, now());
      return unused;
    });
    const outcome = await removeThere(deps, connection);
    await db.transaction(async () => {
      const { provider, name, routingIdentifiers } = await lockUnused();
      const entry = findProvider(provider);
      await platformConnections.remove(platformConnectionId);
      if (entry !== undefined) await platformConnections.release(provider, ownedIdentifiers(entry, { routingIdentifiers }));
      await platformAudit.append(now(), { action: 'platform_connection.deleted', subject: platformConnectionId, facts: { provider, name, routingIdentifiers, atProvider: outcome.kind, reason: outcome.reason ?? null } });
    });
    return { id: platformConnectionId, atProvider: { outcome: outcome.kind, ...(outcome.reason !== undefined && { reason: outcome.reason }) } };
  });
}

async function removeThere(deps: PlatformDependencies, { platformConnectionId, provider }: PlatformConnection): Promise<RemoveOutcome> {
  const entry = findProvider(provider);
  const strategy = findStrategy(provider)?.platform;
  const account = await deps.platformConnections.openAccount(platformConnectionId);
  if (entry === undefined || strategy === undefined || account === undefined) return { kind: 'nothing_to_remove', reason: 'The hub has no credentials for this account.' };
  const outcome = await strategy.remove(account, platformContext(deps, entry, account));
  return outcome.reason === undefined ? outcome : { ...outcome, reason: withoutSecrets(outcome.reason, account.credentials) };
}
