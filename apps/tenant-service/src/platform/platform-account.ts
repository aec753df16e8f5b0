import type { ConnectionId } from '@switchboard/contracts';
import type { ProviderEntry } from '@switchboard/providers';
import { runAsSystem } from '@switchboard/tenant-context';
import { hostsOf, isAddressField } from '../domain/hosts-of.ts';
import type { Account, MainAccount } from '../providers/connect-strategy.ts';
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

/** The platform's account as the one in which others are made. */
export function mainAccountOf(entry: ProviderEntry, account: Account): MainAccount {
  return { account, hosts: hostsOf(entry, account) };
}

/** Where the platform's account is, as settings: what is made in it is there too, and never at an address of the tenant's choice. */
export function placeSettings({ settings }: MainAccount['account']): Account['settings'] {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => name === 'sandbox' || isAddressField(name)));
}

/** The platform's account in which a connection has its place, if it has one. */
export async function loadMainAccount({ platformConnections }: { readonly platformConnections: PlatformConnectionStore }, entry: ProviderEntry, connectionId: ConnectionId): Promise<MainAccount | undefined> {
  return await runAsSystem('an account in which tenants have theirs is the platform\'s', async () => {
    const id = await platformConnections.placeOf(connectionId);
    const account = id === undefined ? undefined : await platformConnections.openAccount(id);
    return account && mainAccountOf(entry, account);
  });
}

/** The account with what the platform's has, where it is a place in one; undefined where that one is gone. As the connection's tenant. */
export async function effectiveAccount({ platformConnections }: { readonly platformConnections: PlatformConnectionStore }, own: Account, secretField: string): Promise<Account | undefined> {
  if (!isShared(own)) return own;
  const id = own.settings['platformConnectionId'];
  if (id === undefined) return undefined;
  const platform = await runAsSystem('an account that tenants share is the platform\'s', () => platformConnections.openAccount(id));
  return platform && withPlatform(own, platform, secretField);
}
