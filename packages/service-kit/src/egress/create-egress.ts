import { hubError } from '@switchboard/contracts';
import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { Agent } from 'undici';
import type { Egress, EgressRequest } from '../port.ts';
import { createAddressPolicy, type AddressPolicy } from './address-policy.ts';
import { exchange } from './exchange.ts';
import { parseTarget, refused, type Target } from './parse-target.ts';
import { createHostResolver, type ResolveHost } from './resolve-host.ts';

export type EgressOptions = {
  /** EGRESS_ALLOW: networks and host names. */
  readonly allow: readonly string[];
  /** Test seam: DNS by default. */
  readonly resolveHost?: ResolveHost;
  /** Test seam: more certificate authorities. */
  readonly ca?: string;
};

/** Milliseconds for a connection with its handshake. */
const connectTimeoutMs = 5_000;
/** Connections to one origin. A provider's own rate limit binds long before. */
const connectionsMax = 64;

/**
 * The one way out. Names are resolved by the very look-up that the socket connects with: there is no second one that could answer something
 * else, and a kept-alive connection stays with the address that was judged.
 */
export function createEgress(options: EgressOptions): Egress & { close(): Promise<void> } {
  const policy = createAddressPolicy(options.allow);
  const resolveHost = options.resolveHost ?? createHostResolver();
  const agentFor = (scheme: Target['scheme']) =>
    new Agent({
      connections: connectionsMax,
      connect: { timeout: connectTimeoutMs, lookup: guardedLookup(policy, scheme, resolveHost), ...(options.ca === undefined ? {} : { ca: options.ca }) },
      keepAliveTimeout: 10_000,
    });
  const agents = { https: agentFor('https'), http: agentFor('http') };

  return {
    async request(request: EgressRequest) {
      const target = parseTarget(request.url);
      // Sockets ask no look-up about an address.
      if (target.address !== undefined) assertJudged(policy, target.scheme, target.host, [target.address]);
      return exchange(agents[target.scheme], target.url, request);
    },
    async assertAllowed(url) {
      const target = parseTarget(url);
      const addresses = target.address === undefined ? await addressesOf(target.host, resolveHost) : [target.address];
      assertJudged(policy, target.scheme, target.host, addresses);
    },
    isPlatformHost(url) {
      const { host, address } = parseTarget(url);
      return policy.judge(address ?? 'a name', host).kind === 'allowed';
    },
    async close() {
      await Promise.all([agents.https.close(), agents.http.close()]);
    },
  };
}

/** Every address must pass: a name that also answers with a private one is refused whole. */
function assertJudged(policy: AddressPolicy, scheme: Target['scheme'], host: string, addresses: readonly string[]): void {
  for (const address of addresses) {
    const verdict = policy.judge(address, host);
    if (verdict.kind === 'refused') throw refused('It is not on the public internet; ask the platform to allow the network.', { host, address, reason: verdict.reason });
    if (scheme === 'http' && verdict.kind !== 'allowed') throw refused('Use https.', { host, address });
  }
}

async function addressesOf(host: string, resolveHost: ResolveHost): Promise<string[]> {
  try {
    return (await resolveHost(host)).map(({ address }) => address);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOTFOUND') throw refused('Its host name does not exist.', { host });
    throw hubError('egress.failed', { detail: { host, reason: code, sent: false }, cause });
  }
}

function guardedLookup(policy: AddressPolicy, scheme: Target['scheme'], resolveHost: ResolveHost): LookupFunction {
  const judged = async (host: string): Promise<readonly LookupAddress[]> => {
    const addresses = await resolveHost(host);
    assertJudged(policy, scheme, host, addresses.map(({ address }) => address));
    if (addresses.length === 0) throw hubError('egress.failed', { detail: { host, reason: 'no address', sent: false } });
    return addresses;
  };
  const answer = async (hostname: string, all: boolean, callback: Parameters<LookupFunction>[2]): Promise<void> => {
    const outcome = await judged(hostname.replace(/\.$/, '').toLowerCase()).then(
      (addresses) => ({ addresses, error: undefined }),
      (error: NodeJS.ErrnoException) => ({ addresses: [], error }),
    );
    const [first] = outcome.addresses;
    if (outcome.error !== undefined || first === undefined) callback(outcome.error ?? null, '');
    else if (all) callback(null, [...outcome.addresses]);
    else callback(null, first.address, first.family);
  };
  return (hostname, options, callback) => void answer(hostname, options.all === true, callback);
}
