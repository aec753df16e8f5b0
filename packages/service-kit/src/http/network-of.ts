import ipaddr from 'ipaddr.js';
import { isIPv6 } from 'node:net';

/** What one machine can choose its address from: an IPv4 address itself, the first 64 bits of an IPv6 address (RFC 4291, section 2.5.4). */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  return `${ipaddr.IPv6.parse(address).parts.slice(0, 4).map((group) => group.toString(16)).join(':')}::/64`;
}
