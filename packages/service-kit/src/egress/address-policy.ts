import ipaddr from 'ipaddr.js';
import { StartRefusal } from '../service/start-refusal.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = [Address, number];

/** What an address is to outgoing calls: `public`, `allowed` (by the platform, whatever it is), or refused with the reason. */
export type Verdict = { readonly kind: 'public' } | { readonly kind: 'allowed' } | { readonly kind: 'refused'; readonly reason: string };

export interface AddressPolicy {
  /** `host` is the name that led to the address (or the address itself), in lower case. */
  judge(address: string, host: string): Verdict;
}

/** All of IPv6 that is routed on the internet (RFC 4291 §2.4); the special ranges inside of it are known to ipaddr.js. */
const globalUnicast = ipaddr.parseCIDR('2000::/3') as [ipaddr.IPv6, number];
/** Azure's platform address: in public space, answers every machine in its cloud (learn.microsoft.com, "What is IP address 168.63.129.16", 2026-11). */
const azurePlatform = '168.63.129.16';

/** `allow`: networks (`10.0.0.0/8`, `::1`) and host names (`minio.internal`, `*.svc.cluster.local`). Throws StartRefusal on an entry that is neither. */
export function createAddressPolicy(allow: readonly string[]): AddressPolicy {
  const networks: Network[] = [];
  const hosts = new Set<string>();
  const suffixes: string[] = [];
  for (const entry of allow) {
    const network = parseNetwork(entry);
    if (network !== undefined) networks.push(network);
    else if (/^\*\.[a-z0-9.-]+$/i.test(entry)) suffixes.push(entry.slice(1).toLowerCase());
    else if (/^[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?$/i.test(entry) && !/^[0-9.]+$/.test(entry)) hosts.add(entry.toLowerCase());
    else throw new StartRefusal(`EGRESS_ALLOW holds an entry that is neither a network nor a host name: ${entry}`);
  }
  return {
    judge(text, host) {
      if (hosts.has(host) || suffixes.some((suffix) => host.endsWith(suffix))) return { kind: 'allowed' };
      if (!ipaddr.isValid(text)) return { kind: 'refused', reason: 'not an address' };
      const address = ipaddr.parse(text);
      if (networks.some((network) => isIn(address, network))) return { kind: 'allowed' };
      const reason = refusalOf(address);
      return reason === undefined ? { kind: 'public' } : { kind: 'refused', reason };
    },
  };
}

function refusalOf(address: Address): string | undefined {
  const range = address.range();
  // Ranges of IPv4-mapped, NAT64, 6to4 and Teredo addresses are refused as such: what they translate to is the network's choice.
  if (range !== 'unicast') return range;
  if (address instanceof ipaddr.IPv6) return address.match(globalUnicast) ? undefined : 'not global';
  return address.toString() === azurePlatform ? 'metadata' : undefined;
}

function isIn(address: Address, [network, bits]: Network): boolean {
  if (address instanceof ipaddr.IPv4) return network instanceof ipaddr.IPv4 && address.match(network, bits);
  return network instanceof ipaddr.IPv6 && address.match(network, bits);
}

function parseNetwork(entry: string): Network | undefined {
  if (ipaddr.isValidCIDR(entry)) return ipaddr.parseCIDR(entry);
  // Four-part form only: ipaddr.js also reads `10` and `0x7f.1` as IPv4.
  if (ipaddr.IPv4.isValidFourPartDecimal(entry)) return [ipaddr.parse(entry), 32];
  return ipaddr.IPv6.isValid(entry) ? [ipaddr.parse(entry), 128] : undefined;
}
