/** `bits` of the address as a number, `length` of them those of the network. */
type Network = { readonly bits: bigint; readonly length: number; readonly width: 32 | 128 };

/** Whether every address of one network (CIDR, v4 or v6) is one of the other. A v4 network written as v6 (`::ffff:10.0.0.0/104`) is that v4 network. */
export function isNetworkWithin(inner: string, outer: string): boolean {
  const [a, b] = [parseNetwork(inner), parseNetwork(outer)];
  if (a.width !== b.width || a.length < b.length) return false;
  const rest = BigInt(b.width - b.length);
  return a.bits >> rest === b.bits >> rest;
}

function parseNetwork(cidr: string): Network {
  const [address = '', digits = ''] = cidr.split('/');
  const length = Number(digits);
  if (!address.includes(':')) return { bits: joined(address.split('.').map(Number), 8), length, width: 32 };
  const bits = joined(groupsOf(address), 16);
  // RFC 4291 §2.5.5.2
  if (bits >> 32n === 0xffffn && length >= 96) return { bits: bits & 0xffffffffn, length: length - 96, width: 32 };
  return { bits, length, width: 128 };
}

/** The eight groups of a v6 address, in whatever way it is written. */
function groupsOf(address: string): number[] {
  // A URL writes it in one way: groups in hex, and `::` for the longest run of zeros.
  const [before = [], after = []] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::').map((part) => part.split(':').filter((group) => group !== ''));
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16));
}

function joined(parts: readonly number[], width: number): bigint {
  return parts.reduce((bits, part) => (bits << BigInt(width)) | BigInt(part), 0n);
}
