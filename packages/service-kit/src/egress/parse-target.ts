import { hubError } from '@switchboard/contracts';
import { isIP } from 'node:net';

/** Where a call goes. `address` is set when the URL names no host but an address. */
export type Target = { readonly url: URL; readonly scheme: 'https' | 'http'; readonly host: string; readonly address: string | undefined };

/**
 * Reads a URL that a tenant may have written. Throws `egress.refused` on anything but https and http, on credentials in it, and on no host.
 * Decimal, octal and hexadecimal IPv4 forms come out of the URL parser as four decimal parts, so that nobody judges a form the socket reads differently.
 */
export function parseTarget(text: string): Target {
  if (!URL.canParse(text)) throw refused('It is not a URL.');
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refused('Use https.');
  if (url.username !== '' || url.password !== '') throw refused('Leave credentials out of the URL.');
  // A dot at the end is the same host to DNS and another one to comparisons.
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '').toLowerCase();
  if (host === '') throw refused('It names no host.');
  return { url, scheme: url.protocol === 'https:' ? 'https' : 'http', host, address: isIP(host) === 0 ? undefined : host };
}

export function refused(publicMessage: string, detail: Readonly<Record<string, unknown>> = {}) {
  return hubError('egress.refused', { publicMessage: `The address is not allowed. ${publicMessage}`, detail: { ...detail, sent: false } });
}
