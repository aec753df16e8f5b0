import { runAsSystem } from '@switchboard/tenant-context';
import { isAddressField } from '../domain/hosts-of.ts';
import type { Account } from '../providers/connect-strategy.ts';
import type { PlatformConnectionStore } from '../store/platform-connections.ts';

/** Whether an account is not the tenant's own but a place in one of the platform's. */
export function isShared({ settings }: Pick<Account, 'settings'>): boolean {
  return settings['mode'] === 'shared';
}

/** What a tenant's connection works with: its own part before the platform's. Webhook secrets stay with the platform's account: only ingest needs them. */
export function withPlatform(own: Account, platform: Account, secretField: string): Account {
  const { [secretField]: _secret, ...credentials } = platform.credentials;
  // Where the platform's token goes is never a tenant's to say.
  const ofTenant = Object.fromEntries(Object.entries(own.settings).filter(([name]) => !isAddressField(name)));
  return { routingIdentifiers: own.routingIdentifiers, settings: { ...platform.settings, ...ofTenant }, credentials: { ...credentials, ...own.credentials } };
}

/** The account with what the platform's has, where it is a place in one; undefined where that one is gone. As the connection's tenant. */
export async function effectiveAccount({ platformConnections }: { readonly platformConnections: PlatformConnectionStore }, own: Account, secretField: string): Promise<Account | undefined> {
  if (!isShared(own)) return own;
  const id = own.settings['platformConnectionId'];
  if (id === undefined) return undefined;
  const platform = await runAsSystem('an account that tenants share is the platform\'s', () => platformConnections.openAccount(id));
  return platform && withPlatform(own, platform, secretField);
}
