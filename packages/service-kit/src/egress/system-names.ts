import type { LookupAddress } from 'node:dns';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';

/** What this machine itself says about names: its hosts file, and how short names are completed. */
export interface SystemNames {
  /** Addresses that need no name server; empty where one must be asked. */
  addressesOf(host: string): readonly LookupAddress[];
  /** The names to ask for, in this order. */
  candidatesOf(host: string): readonly string[];
  /** Another number after the name servers changed. */
  generation(): number;
}

/** Milliseconds for which the files are believed. They are a few lines: reading them takes microseconds. */
const believedMs = 5_000;

type Files = { readonly hosts: ReadonlyMap<string, readonly LookupAddress[]>; readonly search: readonly string[]; readonly dotsMin: number; readonly resolv: string };

/** Reads /etc/hosts and /etc/resolv.conf; on a machine without them only localhost is known. The paths are a seam for tests. */
export function createSystemNames(paths = { hosts: '/etc/hosts', resolv: '/etc/resolv.conf' }): SystemNames {
  let files: Files | undefined;
  let readAt = 0;
  let generation = 0;

  function current(): Files {
    if (files !== undefined && performance.now() - readAt < believedMs) return files;
    const resolv = textOf(paths.resolv);
    if (resolv !== files?.resolv) generation++;
    files = { hosts: parseHosts(textOf(paths.hosts)), ...parseResolv(resolv), resolv };
    readAt = performance.now();
    return files;
  }

  return {
    addressesOf(host) {
      const listed = current().hosts.get(host);
      if (listed !== undefined) return listed;
      // RFC 6761 §6.3: these names never leave the machine.
      return host === 'localhost' || host.endsWith('.localhost') ? loopback : [];
    },
    candidatesOf(host) {
      const { search, dotsMin } = current();
      const dots = host.split('.').length - 1;
      if (dots >= dotsMin) return [host];
      const completed = search.map((domain) => `${host}.${domain}`);
      // With a dot in it, it may be a public name: that must not depend on what a search domain answers (the system's own resolver asks those first).
      return dots === 0 ? [...completed, host] : [host, ...completed];
    },
    generation() {
      current();
      return generation;
    },
  };
}

const loopback: readonly LookupAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

/** hosts(5): an address and its names; `#` begins a comment. */
function parseHosts(text: string): Map<string, LookupAddress[]> {
  const hosts = new Map<string, LookupAddress[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    const family = isIP(address);
    if (family === 0) continue;
    for (const name of names) hosts.set(name.toLowerCase(), [...(hosts.get(name.toLowerCase()) ?? []), { address, family }]);
  }
  return hosts;
}

/** resolv.conf(5): the last `search` (or `domain`) counts; `options ndots:n`, 1 when unsaid, 15 at most. */
function parseResolv(text: string): { search: string[]; dotsMin: number } {
  let search: string[] = [];
  let dotsMin = 1;
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line.replace(/[#;].*/, '').trim().split(/\s+/);
    if (keyword === 'search' || keyword === 'domain') search = values.map((domain) => domain.replace(/\.$/, '').toLowerCase()).filter((domain) => domain !== '');
    else if (keyword === 'options') dotsMin = Math.min(Number(/^ndots:(\d+)$/.exec(values.find((value) => value.startsWith('ndots:')) ?? '')?.[1] ?? dotsMin), 15);
  }
  return { search, dotsMin };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Not there, or not for us: a machine that says nothing.
    return '';
  }
}
