import type { ProviderEntry } from '@switchboard/providers';
import type { Account } from '../providers/connect-strategy.ts';

/** Base URLs of an account by what they are for: the provider's own, or the ones in its settings (`apiBaseUrl` for `api`). */
export function hostsOf(entry: ProviderEntry, account: Account): Record<string, string> {
  const own = entry.hosts({ ...account.settings, ...account.routingIdentifiers });
  return Object.fromEntries(Object.entries(own).map(([name, url]) => [name, account.settings[`${name}BaseUrl`] ?? url]));
}

/** Whether a field of a credentials form says where the account's server is. */
export function isAddressField(name: string): boolean {
  return name === 'apiUrl' || name.endsWith('BaseUrl');
}

/** The account with every host of the provider replaced by its stand-in at the sandbox. An address that is the sandbox's already stays: it plays several servers. */
export function inSandbox(entry: ProviderEntry, account: Account, sandboxUrl: string): Account {
  const standIn = `${sandboxUrl}/${entry.sandboxPath}`;
  const hosts = Object.entries(entry.hosts({ ...account.settings, ...account.routingIdentifiers }));
  const urls = Object.fromEntries(hosts.map(([name, url]) => [`${name}BaseUrl`, isBelow(url, standIn) ? url : standIn]));
  return { ...account, settings: { ...account.settings, ...urls, sandbox: 'true' } };
}

/** Read as a request would read it, so that no `..` leads out. */
function isBelow(url: string, standIn: string): boolean {
  return URL.canParse(url) && new URL(url).href.startsWith(`${new URL(standIn).href}/`);
}
