import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

/** Where one process of a service is: an origin to connect to, and the host it is called by. */
export type Resolved = { readonly origin: string; readonly host: string; readonly servername: string };

/** Every address that these base URLs lead to: a name with several addresses is several processes. Throws what the look-up throws when none is found. */
export async function resolveAddresses(urls: readonly string[], lookUp: typeof lookupAll = lookupAll): Promise<readonly Resolved[]> {
  const found = await Promise.all(urls.map(async (text) => addressesOf(new URL(text), lookUp)));
  return found.flat();
}

/** Whether these URLs can lead to other addresses later. */
export function hasNames(urls: readonly string[]): boolean {
  return urls.some((text) => isName(new URL(text).hostname));
}

async function addressesOf(url: URL, lookUp: typeof lookupAll): Promise<Resolved[]> {
  const { protocol, hostname, host, port, origin } = url;
  if (!isName(hostname)) return [{ origin, host, servername: hostname }];
  const addresses = await lookUp(hostname);
  return addresses.map((address) => ({ origin: `${protocol}//${isIP(address) === 6 ? `[${address}]` : address}${port === '' ? '' : `:${port}`}`, host, servername: hostname }));
}

/** `localhost` means both loopback addresses, of which a service listens on one: the connection itself finds out which. */
function isName(hostname: string): boolean {
  return hostname !== 'localhost' && isIP(hostname.replaceAll(/^\[|\]$/g, '')) === 0;
}

async function lookupAll(hostname: string): Promise<readonly string[]> {
  return (await lookup(hostname, { all: true })).map(({ address }) => address);
}
