import { scopesOfRole, type MemberRole, type PersonRole, type RouteContract, type Scope } from '@switchboard/contracts';

/** A way of knocking at the gateway. */
export type Credential =
  | { readonly kind: 'none' | 'wrong' }
  | { readonly kind: 'key'; readonly scopes: readonly Scope[] }
  | { readonly kind: 'member'; readonly role: MemberRole }
  | { readonly kind: 'platform' }
  | { readonly kind: 'subdomain'; readonly trusted: boolean };

/** What the door does: `in` means that whatever comes then is the route's own answer. */
export type Entry = 'in' | 401 | 403;

/** Written from design.md section 4 and the contract alone, so that it can disagree with the gateway. */
export function expectedEntry(contract: RouteContract, credential: Credential): Entry {
  // What anybody may ask is answered whatever is sent along: a page with an old token must be able to log in.
  if (contract.auth === 'public') return 'in';
  switch (credential.kind) {
    // A credential of the wrong kind is answered like none.
    case 'none':
    case 'wrong':
      return 401;
    case 'platform':
      if (contract.auth === 'member') return rolesOf(contract).includes('platform') ? 'in' : 403;
      return contract.auth === 'admin' ? 'in' : 401;
    case 'key':
      return isOfTenants(contract) ? byScopes(contract, credential.scopes) : 401;
    case 'member':
      if (contract.auth === 'member') return rolesOf(contract).includes(credential.role) ? 'in' : 403;
      return isOfTenants(contract) ? byScopes(contract, scopesOfRole(credential.role)) : 401;
    case 'subdomain': {
      if (!credential.trusted || !isOfTenants(contract)) return 401;
      return contract.method === 'GET' ? byScopes(contract, ['state:read']) : 403;
    }
  }
}

function rolesOf(contract: RouteContract): readonly PersonRole[] {
  return contract.roles ?? ['owner', 'admin', 'agent'];
}

/** Also of the platform's, those that a tenant has at the same path. */
function isOfTenants({ auth, self }: RouteContract): boolean {
  return auth === 'key' || self?.at === 'same-path';
}

function byScopes(contract: RouteContract, has: readonly Scope[]): Entry {
  return (contract.self?.scopes ?? contract.scopes ?? []).every((scope) => has.includes(scope)) ? 'in' : 403;
}
