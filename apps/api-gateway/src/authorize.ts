import { hubError, memberRoles, type RouteContract, type Scope } from '@switchboard/contracts';
import type { Caller, Identity } from './identity.ts';
import type { Params } from './match-route.ts';

/**
 * Throws `auth.missing` when this kind of caller is not who the route is for, `auth.scope_missing` when it may not do this. The service
 * judges again by its own contract: this is the same judgement, made before anything is sent. A tenant that names another in the path gets
 * the `tenant.not_found` of one that there is not, without anybody being asked which of the two it is.
 */
export function authorize(contract: RouteContract, identity: Identity, params: Params = {}): void {
  switch (contract.auth) {
    case 'public':
      return;
    case 'key':
      if (identity.kind !== 'tenant') throw hubError('auth.missing');
      return assertScopes(contract.scopes, identity.caller.scopes);
    case 'member': {
      const roles: readonly string[] = contract.roles ?? memberRoles;
      if (identity.kind === 'platform') return assertRole(roles, 'platform');
      if (identity.kind !== 'tenant' || identity.caller.via !== 'member' || identity.caller.role === undefined) throw hubError('auth.missing');
      assertRole(roles, identity.caller.role);
      return assertScopes(contract.scopes, identity.caller.scopes);
    }
    case 'admin':
      if (identity.kind === 'platform') return;
      if (identity.kind !== 'tenant' || contract.self?.at !== 'same-path') throw hubError('auth.missing');
      return assertOwn(contract.self.scopes, identity.caller, params);
    case 'internal':
      // Not in the table; should it ever be, it is nobody's.
      throw hubError('route.not_found');
  }
}

function assertOwn(scopes: readonly Scope[], caller: Caller, { tenantId = caller.tenantId }: Params): void {
  assertScopes(scopes, caller.scopes);
  if (tenantId !== caller.tenantId) throw hubError('tenant.not_found');
}

function assertScopes(needed: readonly Scope[] | undefined, given: readonly Scope[]): void {
  const missing = needed?.find((scope) => !given.includes(scope));
  if (missing !== undefined) throw hubError('auth.scope_missing', { publicMessage: `Use credentials with the scope ${missing}.` });
}

function assertRole(roles: readonly string[], role: string): void {
  if (!roles.includes(role)) throw hubError('auth.scope_missing', { publicMessage: `Only for ${roles.join(', ')}.` });
}
