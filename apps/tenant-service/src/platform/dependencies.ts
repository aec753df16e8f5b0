import { hubError, type PlatformConnectionId } from '@switchboard/contracts';
import { runAsSystem } from '@switchboard/tenant-context';
import type { AccountDependencies } from '../accounts/dependencies.ts';
import type { PlatformAudit } from '../store/platform-audit.ts';
import type { PlatformConnection } from '../store/platform-connections.ts';

/** What accounts of the platform are kept with. */
export type PlatformDependencies = AccountDependencies & { readonly platformAudit: PlatformAudit };

export function inSystem<T>(fn: () => Promise<T>): Promise<T> {
  return runAsSystem('accounts of the platform belong to no tenant', fn);
}

/** Throws `platform_connection.not_found`. In system scope. */
export async function loadPlatformConnection({ platformConnections }: PlatformDependencies, platformConnectionId: PlatformConnectionId): Promise<PlatformConnection> {
  const connection = await platformConnections.find(platformConnectionId);
  if (connection === undefined) throw hubError('platform_connection.not_found');
  return connection;
}
