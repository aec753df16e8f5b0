import ipaddr from 'ipaddr.js';

/** Whether every address of one network (CIDR, v4 or v6) is one of the other. A v4 network written as v6 (`::ffff:10.0.0.0/104`) is that v4 network. */
export function isNetworkWithin(inner: string, outer: string): boolean {
  const [[address, length], [within, atLeast]] = [parseNetwork(inner), parseNetwork(outer)];
  return address.kind() === within.kind() && length >= atLeast && address.match(within, atLeast);
}

function parseNetwork(cidr: string): readonly [address: ipaddr.IPv4 | ipaddr.IPv6, length: number] {
  const [address, length] = ipaddr.parseCIDR(cidr);
  // RFC 4291 §2.5.5.2
  return address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && length >= 96 ? [address.toIPv4Address(), length - 96] : [address, length];
}
