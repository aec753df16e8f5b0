import { describe, expect, it } from '@jest/globals';
import * as contracts from '../index.ts';
import { gatewayRoutes, isRouteContract, type RouteContract } from '../index.ts';

const all = Object.entries(contracts as Record<string, unknown>).filter((entry): entry is [string, RouteContract] => isRouteContract(entry[1]));
const published = new Set(gatewayRoutes.map(({ source }) => source));

describe('the routes of the gateway', () => {
  it.each(all.filter(([, { auth }]) => auth !== 'internal'))('hold %s', (_, contract) => {
    expect(published.has(contract)).toBe(true);
  });

  it.each(all.filter(([, { auth }]) => auth === 'internal'))('do not hold the internal %s', (_, contract) => {
    expect(published.has(contract)).toBe(false);
  });

  it('are each at a place and by a name of their own', () => {
    const places = gatewayRoutes.map(({ contract }) => `${contract.method} ${contract.path.replaceAll(/:\w+/g, ':')}`);
    expect(places.filter((place, index) => places.indexOf(place) !== index)).toEqual([]);
    const names = gatewayRoutes.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it("are a tenant's own without its id, with the scopes that the contract names", () => {
    const own = gatewayRoutes.find(({ name }) => name === 'listWebhooksOwn');
    expect(own?.contract).toMatchObject({ path: '/tenant/webhooks', auth: 'key', scopes: ['tenant:read'] });
    expect(gatewayRoutes.find(({ name }) => name === 'listWebhooks')?.contract).toMatchObject({ path: '/tenants/:tenantId/webhooks', auth: 'admin' });
  });

  it('name no tenant in a path that a tenant calls', () => {
    const named = gatewayRoutes.filter(({ contract }) => contract.auth !== 'admin' && contract.path.includes(':tenantId'));
    expect(named.map(({ contract }) => contract.path).filter((path) => !path.startsWith('/auth/'))).toEqual([]);
  });

  it('name the service whose dead letters are meant', () => {
    expect(gatewayRoutes.filter(({ services }) => services.length > 1).map(({ contract }) => contract.path).toSorted()).toEqual(
      ['/tenant', '/tenants/:tenantId'].flatMap((whose) => ['', '/:deadLetterId', '/redrive'].map((rest) => `${whose}/dead-letters/:service${rest}`)),
    );
  });
});
