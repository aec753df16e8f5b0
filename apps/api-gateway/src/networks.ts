import ipaddr from 'ipaddr.js';
import { BlockList, isIP } from 'node:net';

export interface Networks {
  /** `address` without brackets or zone, as `plainAddress` gives it. */
  has(address: string): boolean;
}

/**
 * Networks as CIDR (`10.0.0.0/8`, `2001:db8::/32`) or single addresses. An entry that is neither is in `faults` and holds no address: a list
 * of nothing but faults lets nobody in.
 */
export function parseNetworks(entries: readonly string[]): { readonly networks: Networks; readonly faults: readonly string[] } {
  const list = new BlockList();
  const faults = entries.filter((entry) => !add(list, entry));
  return {
    faults,
    networks: {
      has: (address) => {
        const version = isIP(address);
        return version !== 0 && list.check(address, version === 4 ? 'ipv4' : 'ipv6');
      },
    },
  };
}

/** An address in one writing: IPv4 where it was mapped into IPv6 (RFC 4291 §2.5.5.2), without zone; undefined for anything else. */
export function plainAddress(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const zone = text.indexOf('%');
  const address = zone === -1 ? text : text.slice(0, zone);
  const version = isIP(address);
  if (version === 0) return undefined;
  // Parsed only where it can be a mapped one: this is asked of every request.
  if (version === 4 || !/:ffff:/i.test(address)) return address;
  const parsed = ipaddr.IPv6.parse(address);
  return parsed.isIPv4MappedAddress() ? parsed.toIPv4Address().toString() : address;
}

function add(list: BlockList, entry: string): boolean {
  const [text = '', bits, ...more] = entry.trim().split('/');
  const address = plainAddress(text);
  if (address === undefined || address !== plainAddress(address) || more.length > 0 || (bits !== undefined && !/^\d{1,3}$/.test(bits))) return false;
  const isV4 = isIP(address) === 4;
  // A mapped network counts its bits from the front of the 128.
  const length = bits === undefined ? (isV4 ? 32 : 128) : Number(bits) - (isV4 && isIP(text) === 6 ? 96 : 0);
  if (length < 0 || length > (isV4 ? 32 : 128)) return false;
  list.addSubnet(address, length, isV4 ? 'ipv4' : 'ipv6');
  return true;
}
