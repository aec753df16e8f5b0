import { describe, expect, it } from '@jest/globals';
import { defineRouteContract, tenantIdSchema, type RouteContract, type TenantFacts } from '@switchboard/contracts';
import { z } from 'zod';
import { authorize } from './authorize.ts';
import type { Caller, Identity } from './identity.ts';

const acme = tenantIdSchema.parse('acme');
const tenant = { tenantId: acme, status: 'active', plan: 'starter', rateLimit: 100, subdomain: null, corsOrigins: [] } satisfies TenantFacts as TenantFacts;
const caller = (facts: Partial<Caller>): Identity => ({ kind: 'tenant', caller: { tenantId: acme, subject: 'key_1', via: 'key', role: undefined, scopes: [], rateLimit: 100, keyRateLimit: null, tenant, ...facts } });
const platform: Identity = { kind: 'platform', subject: 'admin-key' };
const nobody: Identity = { kind: 'nobody', tenant };
const route = (contract: Pick<RouteContract, 'auth' | 'scopes' | 'roles' | 'self'>) => defineRouteContract({ method: 'GET', path: '/x', summary: 'x', ...contract, reply: { status: 200, schema: z.void() } });

const shared = route({ auth: 'admin', self: { scopes: ['tenant:read'], at: 'same-path' } });
const elsewhere = route({ auth: 'admin', self: { scopes: ['tenant:read'] } });

const code = (contract: RouteContract, identity: Identity, tenantId?: string): string => {
  try {
    authorize(contract, identity, tenantId === undefined ? {} : { tenantId });
    return 'passes';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('authorize refuses before anything is sent', () => {
  it.each([
    ['a key route', 'nobody', route({ auth: 'key' }), nobody, 'auth.missing'],
    ['a key route', 'the platform', route({ auth: 'key' }), platform, 'auth.missing'],
    ['a key route', 'a key without its scope', route({ auth: 'key', scopes: ['state:read'] }), caller({ scopes: ['state:write'] }), 'auth.scope_missing'],
    ['a key route', 'a key with one of two scopes', route({ auth: 'key', scopes: ['state:read', 'tenant:read'] }), caller({ scopes: ['state:read'] }), 'auth.scope_missing'],
    ['a key route', 'a key with its scope', route({ auth: 'key', scopes: ['state:read'] }), caller({ scopes: ['state:read'] }), 'passes'],
    ["a person's route", 'a key with every scope', route({ auth: 'member' }), caller({ scopes: ['members:write'] }), 'auth.missing'],
    ["a person's route", 'a member', route({ auth: 'member' }), caller({ via: 'member', role: 'agent' }), 'passes'],
    ["a person's route", 'a member in another role', route({ auth: 'member', roles: ['owner'] }), caller({ via: 'member', role: 'admin' }), 'auth.scope_missing'],
    ["a person's route", 'staff where they are not named', route({ auth: 'member' }), platform, 'auth.scope_missing'],
    ["a person's route", 'staff where they are named', route({ auth: 'member', roles: ['platform'] }), platform, 'passes'],
    ['a platform route', 'a tenant with every scope', route({ auth: 'admin' }), caller({ via: 'member', role: 'owner', scopes: ['tenant:write'] }), 'auth.missing'],
    ['a platform route', 'the platform', route({ auth: 'admin' }), platform, 'passes'],
    ['a public route', 'nobody', route({ auth: 'public' }), nobody, 'passes'],
    ['an internal route', 'the platform', route({ auth: 'internal' }), platform, 'route.not_found'],
  ] as const)('%s, asked by %s', (_, __, contract, identity, answer) => {
    expect(code(contract, identity)).toBe(answer);
  });

  const reader = caller({ scopes: ['tenant:read'] });
  it.each([
    ['its own tenant', 'a key with the scope', shared, reader, 'acme', 'passes'],
    ['no tenant', 'a key with the scope', shared, reader, undefined, 'passes'],
    ['another tenant', 'a key with the scope', shared, reader, 'globex', 'tenant.not_found'],
    ['a tenant that is none', 'a key with the scope', shared, reader, 'no-such-tenant', 'tenant.not_found'],
    ['its own tenant', 'a key without the scope', shared, caller({}), 'acme', 'auth.scope_missing'],
    ['another tenant', 'a key without the scope', shared, caller({}), 'globex', 'auth.scope_missing'],
    ['its own tenant', 'a member with the scope', shared, caller({ via: 'member', role: 'owner', scopes: ['tenant:read'] }), 'acme', 'passes'],
    ['another tenant', 'a member with the scope', shared, caller({ via: 'member', role: 'owner', scopes: ['tenant:read'] }), 'globex', 'tenant.not_found'],
    ['any tenant', 'the platform', shared, platform, 'globex', 'passes'],
    ['a tenant', 'nobody', shared, nobody, 'acme', 'auth.missing'],
    ['its own tenant where a tenant has another path', 'a key with the scope', elsewhere, reader, 'acme', 'auth.missing'],
  ] as const)('a path of both that names %s, asked by %s', (_, __, contract, identity, tenantId, answer) => {
    expect(code(contract, identity, tenantId)).toBe(answer);
  });
});
