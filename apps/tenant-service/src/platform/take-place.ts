import type { ConnectionId } from '@switchboard/contracts';
import type { ProviderEntry } from '@switchboard/providers';
import { runAsSystem } from '@switchboard/tenant-context';
import { unverified, type Account, type Unverified } from '../providers/connect-strategy.ts';
import type { TenantDatabase } from '../store/client.ts';
import type { PlatformConnectionStore } from '../store/platform-connections.ts';

export type TakenPlace = { readonly kind: 'place'; readonly platformConnectionId: string; readonly platform: Account };

/**
 * The platform's account in which a connection has its place: the one it has, or one that is open and has room, the least loaded first, or the one
 * it wishes. Two that ask at once do not both get the last place.
 */
export async function takePlace(deps: { readonly db: TenantDatabase; readonly platformConnections: PlatformConnectionStore }, entry: ProviderEntry, connectionId: ConnectionId, wanted: string | undefined): Promise<TakenPlace | Unverified> {
  const { db, platformConnections } = deps;
  return await runAsSystem('a place in an account that tenants share', async () => {
    const taken = (await platformConnections.placeOf(connectionId)) ?? (await db.transaction(async () => {
      const [chosen] = await platformConnections.lockOpen(entry.id, wanted);
      if (chosen !== undefined) await platformConnections.givePlace(connectionId, chosen);
      return chosen;
    }));
    const platform = taken === undefined ? undefined : await platformConnections.openAccount(taken);
    if (taken !== undefined && platform !== undefined) return { kind: 'place', platformConnectionId: taken, platform };
    return wanted === undefined
      ? unverified(`The platform has no ${entry.title} account with room for another connection. Ask the platform to open one. It is tried again.`, true, 'provider.not_found')
      : unverified(`The platform has no ${entry.title} account ${wanted} that is open and has room. Leave platformConnectionId out, or ask the platform. It is tried again.`, true, 'provider.not_found');
  });
}
