import { Resolver, type LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { createSystemNames, type SystemNames } from './system-names.ts';

/** The addresses of a host name. Throws with `code` ENOTFOUND when there is no such host, with another code when nobody could say. */
export type ResolveHost = (host: string) => Promise<readonly LookupAddress[]>;

export type HostResolverOptions = {
  /** Test seam: name servers as `address:port`; those of the system by default. */
  readonly servers?: readonly string[];
  /** Test seam: what the system says of names. */
  readonly systemNames?: SystemNames;
};

/** Milliseconds for the first question to a name server; a second one gets twice that. */
const questionMs = 1_000;
const questionsMax = 2;
/** Milliseconds that a whole look-up may take, search domains included; below the time that a connection gets. */
const lookUpMaxMs = 4_000;
/** Milliseconds that the other family's answer is waited for once there are addresses (RFC 8305 §3). */
const otherFamilyMs = 50;
/** Milliseconds for which a failure is the answer to everybody who asks. */
const failureKeptMs = 2_000;
const failuresMax = 1_000;

/**
 * Names as the system knows them (its hosts file and search domains), asked without its threads: getaddrinfo has four for the whole
 * process, and a tenant whose name server never answers holds one for many seconds with each call. Here nobody waits for another's look-up,
 * whatever there are of them; each ends after 4 s at most, those for one name are one, and a failure answers for 2 s.
 */
export function createHostResolver(options: HostResolverOptions = {}): ResolveHost {
  const systemNames = options.systemNames ?? createSystemNames();
  const underWay = new Map<string, Promise<readonly LookupAddress[]>>();
  const failures = new Map<string, { readonly error: unknown; readonly until: number }>();
  let resolver: { readonly made: number; readonly resolver: Resolver } | undefined;

  /** Made anew when the system's name servers have changed: a laptop moves. */
  function currentResolver(): Resolver {
    const made = systemNames.generation();
    if (resolver?.made !== made) {
      resolver = { made, resolver: new Resolver({ timeout: questionMs, tries: questionsMax }) };
      if (options.servers !== undefined) resolver.resolver.setServers([...options.servers]);
    }
    return resolver.resolver;
  }

  async function lookUp(host: string): Promise<readonly LookupAddress[]> {
    const failed: unknown[] = [];
    for (const name of systemNames.candidatesOf(host)) {
      try {
        return await askBoth(currentResolver(), name);
      } catch (error) {
        failed.push(error);
      }
    }
    throw mostTelling(failed);
  }

  async function lookUpOnce(host: string): Promise<readonly LookupAddress[]> {
    try {
      return await within(lookUpMaxMs, lookUp(host));
    } catch (error) {
      if (failures.size >= failuresMax) failures.clear();
      failures.set(host, { error, until: performance.now() + failureKeptMs });
      throw error;
    } finally {
      underWay.delete(host);
    }
  }

  return async (host) => {
    const family = isIP(host);
    if (family !== 0) return [{ address: host, family }];
    const known = systemNames.addressesOf(host);
    if (known.length > 0) return known;
    const failed = failures.get(host);
    if (failed !== undefined && failed.until > performance.now()) throw failed.error;
    failures.delete(host);
    let answer = underWay.get(host);
    if (answer === undefined) underWay.set(host, (answer = lookUpOnce(host)));
    return answer;
  };
}

/** IPv4 first: where both work it makes no difference, and many networks of containers have no IPv6. */
async function askBoth(resolver: Resolver, name: string): Promise<LookupAddress[]> {
  const v4 = ask(resolver, 4, name);
  const v6 = ask(resolver, 6, name);
  try {
    await Promise.any([v4, v6]);
  } catch (error) {
    throw mostTelling((error as AggregateError).errors); // what Promise.any throws, and nothing else
  }
  const [addresses4, addresses6] = await Promise.all([v4, v6].map((answer) => orNothing(answer)));
  return [...(addresses4 ?? []), ...(addresses6 ?? [])];
}

function ask(resolver: Resolver, family: 4 | 6, name: string): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    const answer = (error: NodeJS.ErrnoException | null, addresses: string[]) => {
      if (error !== null) reject(error);
      else resolve(addresses.map((address) => ({ address, family })));
    };
    if (family === 4) resolver.resolve4(name, answer);
    else resolver.resolve6(name, answer);
  });
}

async function orNothing(answer: Promise<LookupAddress[]>): Promise<LookupAddress[]> {
  return await within(otherFamilyMs, answer).catch(() => []);
}

/** A name that has no address wherever it was asked for is no host; one question without an answer leaves that open. */
function mostTelling(errors: readonly unknown[]): unknown {
  const open = errors.find((error) => !['ENOTFOUND', 'ENODATA'].includes((error as NodeJS.ErrnoException).code ?? ''));
  return open ?? Object.assign(new Error('there is no such host', { cause: errors[0] }), { code: 'ENOTFOUND' });
}

async function within<T>(ms: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(Object.assign(new Error('no name server answered in time'), { code: 'ETIMEOUT' })), ms);
  });
  try {
    return await Promise.race([answer, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
