import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as contracts from '@switchboard/contracts';
import { gatewayRoutes, isRouteContract, memberRoles, type GatewayRoute, type RouteContract, type ServiceName } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import { keyHeaders, testSecrets } from '@switchboard/service-kit/testing';
import { currentActor, peekScope } from '@switchboard/tenant-context';
import { testTenants } from '@switchboard/testing';
import { request as httpRequest } from 'node:http';
import { z } from 'zod';
import { startWorld, type World } from './start-world.ts';

/** Every route of the table, before services that judge by their own contracts and answer whom they saw. */

const [acme, globex] = testTenants;
const byService = new Map<ServiceName, Map<string, RouteContract>>();
for (const { source, services } of gatewayRoutes) {
  for (const service of services) byService.set(service, (byService.get(service) ?? new Map<string, RouteContract>()).set(`${source.method} ${source.path}`, source));
}

/** The contract's own judgement of who calls, without what it says of input and reply. */
function witness(service: ServiceName, source: RouteContract): Route {
  const { query: _, body: __, ...contract } = source;
  const params = z.record(z.string(), z.string());
  return defineRoute({ ...contract, params, reply: { status: 200, schema: z.any() } }, (input) => ({ service, path: contract.path, principal: input.principal, scope: peekScope(), actor: currentActor(), params: input.params }));
}

type Caller = 'key' | 'key without scopes' | 'owner' | 'admin' | 'agent' | 'staff' | 'admin key' | 'subdomain' | 'nobody';
const callers: readonly Caller[] = ['key', 'key without scopes', 'owner', 'admin', 'agent', 'staff', 'admin key', 'subdomain', 'nobody'];

let world: World;
let headersOf: Record<Caller, Record<string, string>>;
beforeAll(async () => {
  world = await startWorld({ routesOf: (service) => [...(byService.get(service)?.values() ?? [])].map((contract) => witness(service, contract)) });
  world.setTenant(acme);
  world.setTenant(globex);
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  headersOf = {
    key: { 'x-api-key': world.addKey(acme) },
    'key without scopes': { 'x-api-key': world.addKey(acme, []) },
    owner: bearer(world.addMember(acme, 'owner')),
    admin: bearer(world.addMember(acme, 'admin')),
    agent: bearer(world.addMember(acme, 'agent')),
    staff: bearer(world.addStaff()),
    'admin key': bearer(testSecrets.adminKey),
    subdomain: { host: `${acme}.hub.test` },
    nobody: {},
  };
});
afterAll(() => world.stop());

/** What the issue says of each kind of route, written a second time and in other words than in the code. */
function expected({ contract }: GatewayRoute, caller: Caller): 200 | 401 | 403 {
  const isPlatform = caller === 'staff' || caller === 'admin key';
  const isStranger = caller === 'subdomain' || caller === 'nobody';
  if (contract.auth === 'public') return 200;
  if (isStranger) return 401;
  const isForBoth = contract.self?.at === 'same-path';
  if (contract.auth === 'admin' && !isForBoth) return isPlatform ? 200 : 401;
  if (contract.auth === 'key' || isForBoth) {
    if (isPlatform) return isForBoth ? 200 : 401;
    const needed = contract.self?.scopes ?? contract.scopes ?? [];
    if (caller === 'key without scopes') return needed.length === 0 ? 200 : 403;
    return caller === 'agent' && needed.some((scope) => !scope.startsWith('state:')) ? 403 : 200;
  }
  // For people.
  if (caller === 'key' || caller === 'key without scopes') return 401;
  return (contract.roles ?? memberRoles).some((role) => role === (isPlatform ? 'platform' : caller)) ? 200 : 403;
}

/** What the service must have seen: its own route, the caller's address, and on a tenant's own routes the tenant of the credentials. */
function witnessed({ contract, source, services }: GatewayRoute, caller: Caller): object {
  const own = { kind: 'tenant', tenantId: acme };
  const isPlatform = caller === 'staff' || caller === 'admin key';
  const atItsDoor = caller === 'nobody' || isPlatform ? { kind: 'public' } : { kind: 'public', tenantId: acme };
  const principal = { public: atItsDoor, admin: isPlatform ? { kind: 'admin' } : own, key: own, member: isPlatform ? { kind: 'admin' } : own, internal: {} }[contract.auth];
  const isOfTenant = contract.auth === 'key' || (contract.auth === 'admin' && !isPlatform);
  const inPath = isOfTenant && source.path.includes(':tenantId') ? { params: { tenantId: acme }, scope: own } : {};
  return { path: source.path, service: services[0], actor: { from: '127.0.0.1' }, principal, ...inPath };
}

/** Not fetch: that sets Host itself. */
function ask(method: string, path: string, headers: Record<string, string>): Promise<{ status: number; body: unknown }> {
  const { hostname, port } = new URL(world.url);
  return new Promise((resolve, reject) => {
    const request = httpRequest({ hostname, port, method, path, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text === '' ? undefined : (JSON.parse(text) as unknown) }));
    });
    request.on('error', reject).end();
  });
}

const withoutRequest = ({ status, body }: { status: number; body: unknown }) => ({ status, body: { ...(body as object), requestId: '' } }); // a problem is an object

const pathOf = ({ contract, services }: GatewayRoute, tenantId: string = acme) =>
  contract.path.replaceAll(/:(\w+)/g, (_, name: string) => (name === 'tenantId' ? tenantId : name === 'service' ? (services[0] ?? '') : `a-${name}`));

describe.each(gatewayRoutes.map((route) => [`${route.contract.method} ${route.contract.path}`, route] as const))('%s', (_, route) => {
  const { contract } = route;

  it.each(callers)('lets in by its table, and its service agrees: %s', async (caller) => {
    const { status, body } = await ask(contract.method, pathOf(route), headersOf[caller]);
    const wanted = expected(route, caller);
    const problem = { status: wanted, code: wanted === 401 ? 'auth.missing' : 'auth.scope_missing' };
    expect({ status, body }).toMatchObject({ status: wanted, body: wanted === 200 ? witnessed(route, caller) : problem });
  });

  if (contract.self?.at === 'same-path' && contract.path.includes(':tenantId')) {
    it('answers a tenant that names another, by whatever credential, as if there were none of that name', async () => {
      for (const caller of ['key', 'owner', 'key without scopes'] as const) {
        const [foreign, none] = [await ask(contract.method, pathOf(route, globex), headersOf[caller]), await ask(contract.method, pathOf(route, 'no-such-tenant'), headersOf[caller])];
        expect(foreign).toMatchObject(caller === 'key without scopes' ? { status: 403, body: { code: 'auth.scope_missing' } } : { status: 404, body: { code: 'tenant.not_found' } });
        expect(withoutRequest(foreign)).toEqual(withoutRequest(none));
      }
    });
  }

  if (contract.path.startsWith('/tenants/:tenantId')) {
    it("has no way for a tenant's key, be it to another tenant's or to its own", async () => {
      for (const tenantId of [acme, globex]) expect((await ask(contract.method, pathOf(route, tenantId), headersOf.key)).status).toBe(401);
    });
  }
});

describe('two tenants in turn', () => {
  it.each(['/state/stats', '/tenant', '/tenant/webhooks', '/tenant/dead-letters/state-manager'])('are each told to the service as themselves: %s', async (path) => {
    const keys = new Map([acme, globex].map((tenantId) => [tenantId, { 'x-api-key': world.addKey(tenantId) }]));
    for (const tenantId of [acme, globex, acme, globex, globex, acme]) {
      const { body } = await ask('GET', path, keys.get(tenantId) ?? {});
      expect(body).toMatchObject({ principal: { tenantId }, scope: { kind: 'tenant', tenantId }, params: path.startsWith('/tenant') ? { tenantId } : {} });
    }
  });
});

describe('what is not in the table', () => {
  const internal = Object.entries(contracts as Record<string, unknown>).filter((entry): entry is [string, RouteContract] => isRouteContract(entry[1]) && entry[1].auth === 'internal');

  it.each(internal)('is not there, with the right to everything: %s', async (_, contract) => {
    for (const caller of ['key', 'admin key', 'owner'] as const) {
      const path = contract.path.replaceAll(/:\w+/g, 'x');
      expect((await ask(contract.method, path, headersOf[caller])).body).toMatchObject({ status: 404, code: 'route.not_found' });
      expect((await ask(contract.method, path, { ...headersOf[caller], ...keyHeaders('tenant-service', acme) })).status).toBe(404);
    }
  });

  it('has no way to a service that is not named in the table', async () => {
    for (const service of ['api-gateway', 'provider-sandbox', 'nobody', '..']) expect((await ask('GET', `/tenant/dead-letters/${service}`, headersOf.key)).status).toBe(404);
  });
});
