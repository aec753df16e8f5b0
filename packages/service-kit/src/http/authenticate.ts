import { hubError, tenantIdSchema, type RouteContract, type TenantId } from '@switchboard/contracts';
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { internalTokenHeader, internalTokenVerifier } from '../internal-token.ts';
import type { Principal } from '../port.ts';

/** The only issuer whose tokens speak for an API key. */
const keyIssuer = 'api-gateway';

export type Authenticate = (contract: RouteContract, headers: IncomingHttpHeaders) => Principal;

/** Who calls a route of `service`. The result throws `auth.missing` (401) or `auth.scope_missing` (403). Without an admin key no admin call gets in. */
export function authenticator(service: string, secrets: { readonly internalTokenSecret: string; readonly adminKey?: string | undefined }): Authenticate {
  const verifyToken = internalTokenVerifier(secrets.internalTokenSecret, service);
  const adminKeyHash = secrets.adminKey === undefined ? undefined : sha256(secrets.adminKey);

  const tokenOf = (headers: IncomingHttpHeaders) => {
    const token = headers[internalTokenHeader];
    if (typeof token !== 'string') throw hubError('auth.missing');
    return verifyToken(token);
  };

  return (contract, headers) => {
    switch (contract.auth) {
      case 'public':
        return { kind: 'public' };
      case 'admin': {
        const given = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1];
        // Hashes have one length whatever was sent, so the comparison tells nothing about the key.
        if (given === undefined || adminKeyHash === undefined || !timingSafeEqual(sha256(given), adminKeyHash)) throw hubError('auth.missing');
        return { kind: 'admin' };
      }
      case 'internal': {
        const { issuer, tenantId } = tokenOf(headers);
        // One that lists nobody lets nobody in.
        if (!(contract.callers ?? []).some((caller) => caller === issuer)) throw hubError('auth.missing');
        return { kind: 'service', service: issuer, tenantId };
      }
      case 'key': {
        const { issuer, tenantId, subject, scopes } = tokenOf(headers);
        if (issuer !== keyIssuer || tenantId === undefined) throw hubError('auth.missing');
        const missing = contract.scopes?.find((scope) => !scopes.includes(scope));
        if (missing !== undefined) throw hubError('auth.scope_missing', { publicMessage: `Use a key with the scope ${missing}.` });
        return { kind: 'tenant', tenantId, subject, scopes };
      }
    }
  };
}

/** The tenant a route works for: the token's, or the one in an admin route's path; undefined for the system. */
export function tenantOf(principal: Principal, params: Readonly<Record<string, unknown>>): TenantId | undefined {
  if (principal.kind === 'tenant' || principal.kind === 'service') return principal.tenantId;
  if (principal.kind !== 'admin' || params['tenantId'] === undefined) return undefined;
  const parsed = tenantIdSchema.safeParse(params['tenantId']);
  if (!parsed.success) throw hubError('request.invalid', { issues: [{ path: 'params.tenantId', message: 'is not a tenant id' }] });
  return parsed.data;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
