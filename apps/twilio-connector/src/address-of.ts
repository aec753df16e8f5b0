import type { PublicConnection } from '@switchboard/connector-kit';

/** What Twilio's hosts are for: settings may name others for each (`apiBaseUrl`, `messagingBaseUrl`, …); `apiBaseUrl` alone stands for all. */
const productHost = /^([a-z][a-z0-9-]*)(?:\.[a-z0-9-]+){0,2}\.twilio\.com$/;

/**
 * Where a request to one of Twilio's addresses goes for a connection: there, or to what its settings name in place of that host. Undefined for an
 * address that is neither Twilio's nor below one of the settings: it must see no credentials. Pure.
 */
export function addressOf(url: string, settings: PublicConnection['settings']): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, hostname, port, username, pathname, search } = new URL(url);
  if (username !== '') return undefined;
  const product = productHost.exec(hostname)?.[1];
  if (product !== undefined && protocol === 'https:' && port === '') {
    const base = settings[`${product}BaseUrl`] ?? settings['apiBaseUrl'] ?? `https://${hostname}`;
    return `${base.replace(/\/+$/, '')}${pathname}${search}`;
  }
  const bases = Object.entries(settings).flatMap(([name, value]) => (name.endsWith('BaseUrl') && URL.canParse(value) ? [new URL(value).href.replace(/\/+$/, '')] : []));
  // Compared as a request would read it, so that no `..` leads out.
  const { href } = new URL(url);
  return bases.some((base) => href.startsWith(`${base}/`)) ? href : undefined;
}
