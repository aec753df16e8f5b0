import type { Scope, TenantFacts, TenantId } from '@switchboard/contracts';
import { isDeepStrictEqual } from 'node:util';
import { parseNetworks, type Networks } from './networks.ts';

/** Answers bring the same again and again: each of these is kept once, and the same is then one object. */
export interface SharedParts {
  /** What is equal to what was last shared of this tenant is that. */
  facts(facts: TenantFacts): TenantFacts;
  scopes(scopes: readonly string[]): readonly Scope[];
  /** Undefined: from everywhere. */
  networks(cidrs: readonly string[]): Networks | undefined;
}

/** Sets of scopes and lists of networks; there are few, and what is pushed out is made once more. */
const listsMax = 1_000;

/** Nothing is believed for being here: it is compared with what was just answered, and with nothing else. */
export function createSharedParts({ tenantsMax }: { readonly tenantsMax: number }): SharedParts {
  const tenants = new Map<TenantId, TenantFacts>();
  const scopeLists = new Map<string, readonly Scope[]>();
  const networkLists = new Map<string, Networks>();

  function shared<Key, Value>(map: Map<Key, Value>, key: Key, { max, make }: { readonly max: number; readonly make: () => Value }): Value {
    let value = map.get(key);
    if (value !== undefined) return value;
    if (map.size >= max) map.clear();
    map.set(key, (value = make()));
    return value;
  }

  return {
    facts(facts) {
      const known = shared(tenants, facts.tenantId, { max: tenantsMax, make: () => facts });
      if (known === facts || isDeepStrictEqual(known, facts)) return known;
      tenants.set(facts.tenantId, facts);
      return facts;
    },
    // Scopes that this version does not know match no route.
    scopes: (scopes) => shared(scopeLists, scopes.join(' '), { max: listsMax, make: () => [...scopes] as Scope[] }),
    networks: (cidrs) => (cidrs.length === 0 ? undefined : shared(networkLists, cidrs.join(' '), { max: listsMax, make: () => parseNetworks(cidrs).networks })),
  };
}
