import { scopes as allScopes, scopesOfRole, type MemberRole, type Scope, type TenantId } from '@switchboard/contracts';
import { internalTokenHeader, signInternalToken } from '../internal-token.ts';
import type { InternalClaims, ServiceName } from '../port.ts';

/** Secrets that services under test are started with; they open nothing else. */
export const testSecrets = {
  internalTokenSecret: 'test internal token secret, 32 characters and more',
  adminKey: 'test-admin-key-0123456789',
  /** 32 bytes as base64. */
  keyEncryptionKey: Buffer.alloc(32, 7).toString('base64'),
} as const;

/** A token as `issuer` would send it to `audience`. */
export function internalToken(audience: ServiceName, claims: InternalClaims & { readonly issuer?: ServiceName } = {}): string {
  const { issuer = 'api-gateway', ...rest } = claims;
  return signInternalToken(testSecrets.internalTokenSecret, issuer, audience, rest);
}

/** Headers of a call from another service: of a tenant, or of the system. */
export function internalTokenHeaders(audience: ServiceName, tenantId?: TenantId, issuer: ServiceName = 'state-manager'): Record<string, string> {
  return { [internalTokenHeader]: internalToken(audience, { issuer, tenantId }) };
}

/** The key of `keyHeaders`; in no table unless the test puts it there. */
export const testKeyId = 'key_00000000000000000000000000';

/** Headers of a tenant's call as the gateway forwards it. */
export function keyHeaders(audience: ServiceName, tenantId: TenantId, scopes: readonly Scope[] = allScopes, keyId: string = testKeyId): Record<string, string> {
  return { [internalTokenHeader]: internalToken(audience, { tenantId, scopes, subject: keyId }) };
}

/** Headers of a member's call as the gateway forwards it. */
export function memberHeaders(audience: ServiceName, tenantId: TenantId, role: MemberRole, memberId = 'mbr_00000000000000000000000001'): Record<string, string> {
  return { [internalTokenHeader]: internalToken(audience, { tenantId, scopes: scopesOfRole(role), subject: memberId, via: 'member', role }) };
}

/** Headers of a call of platform staff as the gateway forwards it. */
export function platformHeaders(audience: ServiceName, memberId = 'mbr_00000000000000000000000002'): Record<string, string> {
  return { [internalTokenHeader]: internalToken(audience, { subject: memberId, via: 'platform' }) };
}

/** Headers of the platform's call. */
export function adminHeaders(): Record<string, string> {
  return { authorization: `Bearer ${testSecrets.adminKey}` };
}
