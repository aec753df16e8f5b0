import { isIPv6 } from 'node:net';

/** What one machine can choose its address from: an IPv4 address itself, the first 64 bits of an IPv6 address (RFC 4291, section 2.5.4). */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const groups = head.split(':').filter((group) => group !== '');
  const rest = (tail ?? '').split(':').filter((group) => group !== '');
  if (tail !== undefined) groups.push(...Array.from({ length: Math.max(0, 8 - groups.length - rest.length) }, () => '0'));
  return `${[...groups, ...rest].slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}
