import { serverOf, type ProviderEntry } from '@switchboard/providers';
import type { Account } from '../providers/connect-strategy.ts';
import { hostsOf } from './hosts-of.ts';

/**
 * Who confirmed that an account is a tenant's, the weakest first: a host of the tenant's own choice (which says what the tenant likes), one
 * that the platform chose (the sandbox, an entry of EGRESS_ALLOW), or the provider itself at the registry's hosts.
 */
export const proofs = ['tenant', 'platform', 'provider'] as const;
export type Proof = (typeof proofs)[number];

/** What a check of this account proves: as much as the weakest host that takes part in it. */
export function proofOf(entry: ProviderEntry, account: Account, isPlatformHost: (url: string) => boolean): Proof {
  // Written by the hub alone, together with the sandbox's addresses.
  if (account.settings['sandbox'] === 'true') return 'platform';
  const own = entry.hosts({ ...account.settings, ...account.routingIdentifiers });
  const published = entry.hosts({ ...withoutBaseUrls(account.settings), ...account.routingIdentifiers });
  // A server of one's own choice is the provider itself only where the account is one of that server's: at an address alone, Twilio's accounts are everybody's.
  const isProvider = (name: string, url: string) => url === own[name] && (url === published[name] || isNamedAfter(entry, account, url));
  const of = Object.entries(hostsOf(entry, account)).map(([name, url]): Proof => (isProvider(name, url) ? 'provider' : isPlatformHost(url) ? 'platform' : 'tenant'));
  return proofs.find((proof) => of.includes(proof)) ?? 'tenant';
}

export function isWeaker(one: Proof, other: Proof): boolean {
  return proofs.indexOf(one) < proofs.indexOf(other);
}

function withoutBaseUrls(settings: Account['settings']): Account['settings'] {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !name.endsWith('BaseUrl')));
}

function isNamedAfter(entry: ProviderEntry, { routingIdentifiers }: Account, url: string): boolean {
  const owned = entry.routingFields.flatMap((name) => routingIdentifiers[name] ?? []);
  return owned.every((value) => value.startsWith(`${serverOf(url)}/`));
}
