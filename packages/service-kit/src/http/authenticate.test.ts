import { describe, expect, it } from '@jest/globals';
import { defineRouteContract, tenantIdSchema } from '@switchboard/contracts';
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { clientAddressHeader, internalTokenHeader } from '../internal-token.ts';
import { adminHeaders, internalToken, testSecrets } from '../testing/test-credentials.ts';
import type { Principal } from '../port.ts';
import { authenticator, tenantOf } from './authenticate.ts';

const acme = tenantIdSchema.parse('acme');
const authenticate = authenticator('auth-service', testSecrets);
const route = (auth: 'public' | 'admin' | 'internal') =>
  defineRouteContract({ method: 'GET', path: '/things', summary: 'Things', auth, ...(auth === 'internal' && { callers: ['state-manager'] }), reply: { status: 200, schema: z.object({}) } });
const fromOf = (auth: 'public' | 'admin' | 'internal', headers: Record<string, string>) =>
  authenticate(route(auth), { headers: { ...headers, [clientAddressHeader]: '198.51.100.7' }, socket: { remoteAddress: '::ffff:10.0.0.1' } } as unknown as IncomingMessage).actor.from; // as much of a request as is looked at

describe('where a call came from', () => {
  it('is told by the gateway, of strangers too', () => {
    for (const claims of [{ tenantId: acme }, { subject: '', via: 'subdomain' as const }]) expect(fromOf('public', { [internalTokenHeader]: internalToken('auth-service', claims) })).toBe('198.51.100.7');
  });

  it('is the other end of the connection, whatever a header says, for everybody else: guesses are counted by it', () => {
    expect(fromOf('public', {})).toBe('10.0.0.1');
    expect(fromOf('admin', adminHeaders())).toBe('10.0.0.1');
    expect(fromOf('public', { [internalTokenHeader]: internalToken('auth-service', { tenantId: acme, issuer: 'state-manager' }) })).toBe('10.0.0.1');
    expect(fromOf('internal', { [internalTokenHeader]: internalToken('auth-service', { issuer: 'state-manager' }) })).toBe('10.0.0.1');
  });
});

describe('a route that the platform and a tenant have at one path', () => {
  const globex = tenantIdSchema.parse('globex');
  const contractOf = (path: string, at?: 'same-path') => defineRouteContract({ method: 'GET', path, summary: 'x', auth: 'admin', self: { scopes: ['tenant:read'], ...(at !== undefined && { at }) }, reply: { status: 200, schema: z.object({}) } });
  const [named, unnamed] = [contractOf('/things/:tenantId', 'same-path'), contractOf('/things', 'same-path')];
  const tenant: Principal = { kind: 'tenant', tenantId: acme, subject: 'key_1', scopes: ['tenant:read'], via: 'key', role: undefined };
  const platform: Principal = { kind: 'admin', subject: 'admin-key' };

  it('works for the tenant that the token and the path name, and for no other', () => {
    expect(tenantOf(named, tenant, { tenantId: acme })).toBe(acme);
    expect(() => tenantOf(named, tenant, { tenantId: globex })).toThrow(expect.objectContaining({ code: 'tenant.not_found' }));
  });

  it("works for the token's tenant where the path names none, and for the platform as the system", () => {
    expect(tenantOf(unnamed, tenant, {})).toBe(acme);
    expect(tenantOf(unnamed, platform, {})).toBeUndefined();
    expect(tenantOf(named, platform, { tenantId: globex })).toBe(globex);
  });

  it('is closed to a tenant without a tenant in the path where its own routes are elsewhere', () => {
    expect(() => tenantOf(contractOf('/things'), tenant, {})).toThrow(expect.objectContaining({ code: 'tenant.not_found' }));
  });

  it("lets in the gateway's token of a tenant with its scopes, and no other service's", () => {
    const ask = (claims: Parameters<typeof internalToken>[1]) => () => authenticate(named, { headers: { [internalTokenHeader]: internalToken('auth-service', claims) }, socket: {} } as unknown as IncomingMessage).principal; // as much of a request as is looked at
    expect(ask({ tenantId: acme, scopes: ['tenant:read'] })()).toMatchObject({ kind: 'tenant', tenantId: acme });
    expect(ask({ tenantId: acme, scopes: ['tenant:write'] })).toThrow(expect.objectContaining({ code: 'auth.scope_missing' }));
    expect(ask({ tenantId: acme, scopes: ['tenant:read'], issuer: 'state-manager' })).toThrow(expect.objectContaining({ code: 'auth.missing' }));
  });
});
