import { hubError, memberRoles, tenantIdSchema, type RouteContract, type Scope, type TenantId } from '@switchboard/contracts';
import type { Actor } from '@switchboard/tenant-context';
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { clientAddressHeader, internalTokenHeader, internalTokenVerifier, type VerifiedToken } from '../internal-token.ts';
import type { Principal } from '../port.ts';

/** The only issuer whose tokens speak for a tenant's key, a person or the platform. */
const doorkeeper = 'api-gateway';

export type Caller = { readonly principal: Principal; readonly actor: Actor };
export type Authenticate = (contract: RouteContract, request: IncomingMessage) => Caller;

/** Who calls a route of `service`. The result throws `auth.missing` (401) or `auth.scope_missing` (403). Without an admin key no admin key gets in. */
export function authenticator(service: string, secrets: { readonly internalTokenSecret: string; readonly adminKey?: string | undefined }): Authenticate {
  const verifyToken = internalTokenVerifier(secrets.internalTokenSecret, service);
  const isAdminKey = adminKeyCheck(secrets.adminKey);

  const tokenOf = ({ headers }: IncomingMessage): VerifiedToken | undefined => {
    const token = headers[internalTokenHeader];
    if (token === undefined) return undefined;
    // Sent twice is not sent: which of the two would be meant?
    if (typeof token !== 'string') throw hubError('auth.missing');
    return verifyToken(token);
  };

  return (contract, request) => {
    const token = tokenOf(request);
    const principal = judge(contract, token, () => isAdminKey(request.headers.authorization));
    return { principal, actor: actorOf(principal, addressOf(request, token)) };
  };
}

/** Whether an Authorization header carries the admin key. Hashes have one length whatever was sent, so the comparison tells nothing about the key. */
export function adminKeyCheck(adminKey: string | undefined): (authorization: string | undefined) => boolean {
  const expected = adminKey === undefined ? undefined : sha256(adminKey);
  return (authorization) => {
    const given = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1];
    return given !== undefined && expected !== undefined && timingSafeEqual(sha256(given), expected);
  };
}

function judge(contract: RouteContract, token: VerifiedToken | undefined, hasAdminKey: () => boolean): Principal {
  if (contract.auth === 'internal') {
    // One that lists nobody lets nobody in.
    if (token === undefined || !(contract.callers ?? []).some((caller) => caller === token.issuer)) throw hubError('auth.missing');
    return { kind: 'service', service: token.issuer, tenantId: token.tenantId };
  }
  // Other services' tokens are for internal routes.
  const outside = token?.issuer === doorkeeper ? token : undefined;
  switch (contract.auth) {
    case 'public':
      return { kind: 'public', tenantId: outside?.tenantId };
    case 'admin': {
      if (outside === undefined) {
        if (!hasAdminKey()) throw hubError('auth.missing');
        return { kind: 'admin', subject: 'admin-key' };
      }
      if (outside.via === 'platform') return { kind: 'admin', subject: outside.subject };
      if (contract.self === undefined) throw hubError('auth.missing');
      return ofTenant(outside, contract.self.scopes);
    }
    case 'key':
      return ofTenant(outside, contract.scopes ?? []);
    case 'member': {
      const roles: readonly string[] = contract.roles ?? memberRoles;
      if (outside === undefined || (outside.via !== 'member' && outside.via !== 'platform')) throw hubError('auth.missing');
      const role = outside.via === 'platform' ? 'platform' : outside.role;
      if (role === undefined || !roles.includes(role)) throw hubError('auth.scope_missing', { publicMessage: `Only for ${roles.join(', ')}.` });
      return outside.via === 'platform' ? { kind: 'admin', subject: outside.subject } : ofTenant(outside, contract.scopes ?? []);
    }
  }
}

function ofTenant(token: VerifiedToken | undefined, needed: readonly Scope[]): Principal {
  if (token?.tenantId === undefined || token.via === 'platform') throw hubError('auth.missing');
  const { tenantId, subject, scopes, via, role } = token;
  const missing = needed.find((scope) => !scopes.includes(scope));
  if (missing !== undefined) throw hubError('auth.scope_missing', { publicMessage: `Use credentials with the scope ${missing}.` });
  return { kind: 'tenant', tenantId, subject, scopes, via, role };
}

/**
 * The tenant a route works for: the token's, or the one in an admin route's path; undefined for the system. Throws `tenant.not_found` for a tenant that names
 * another, and for one that names none where its own routes are under a path of their own.
 */
export function tenantOf(contract: RouteContract, principal: Principal, params: Readonly<Record<string, unknown>>): TenantId | undefined {
  if (principal.kind === 'tenant' && contract.auth === 'admin') {
    const named = params['tenantId'] ?? (contract.self?.at === 'same-path' ? principal.tenantId : undefined);
    if (named !== principal.tenantId) throw hubError('tenant.not_found');
  }
  if (principal.kind === 'tenant' || principal.kind === 'service') return principal.tenantId;
  if (principal.kind !== 'admin' || params['tenantId'] === undefined) return undefined;
  const parsed = tenantIdSchema.safeParse(params['tenantId']);
  if (!parsed.success) throw hubError('request.invalid', { issues: [{ path: 'params.tenantId', message: 'is not a tenant id' }] });
  return parsed.data;
}

function actorOf(principal: Principal, from: string | null): Actor {
  switch (principal.kind) {
    case 'public':
      return { kind: 'public', subject: 'anonymous', from };
    case 'admin':
      return { kind: 'admin', subject: principal.subject, from };
    case 'service':
      return { kind: 'service', subject: principal.service, from };
    case 'tenant':
      return { kind: principal.via === 'subdomain' ? 'public' : principal.via, subject: principal.subject, from };
  }
}

/** Where the call came from: the gateway's word where the gateway calls, else the other end of the connection. */
function addressOf({ headers, socket }: IncomingMessage, token: VerifiedToken | undefined): string | null {
  const told = headers[clientAddressHeader];
  if (token?.issuer === doorkeeper && typeof told === 'string') return told;
  return socket.remoteAddress?.replace(/^::ffff:(?=\d)/, '') ?? null;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
