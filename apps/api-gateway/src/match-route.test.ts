import { describe, expect, it } from '@jest/globals';
import { gatewayRoutes, tenantIdSchema } from '@switchboard/contracts';
import fc from 'fast-check';
import { createRouteMatch } from './match-route.ts';

const match = createRouteMatch(gatewayRoutes);
const acme = tenantIdSchema.parse('acme');

/** What the gateway would ask of whom. */
function targetOf(method: string, path: string): string {
  const found = match(method, path);
  if (found.kind === 'other-methods') return found.allow.join();
  return found.kind === 'nothing' ? found.kind : `${found.route.serviceOf(found.params)} ${found.route.servicePathOf(found.params, acme) ?? path}`;
}

describe('the match of a route', () => {
  it.each([
    ['GET', '/state/stats', 'state-manager /state/stats'],
    ['HEAD', '/state/stats', 'state-manager /state/stats'],
    ['GET', '/state/mapping/15005550100', 'state-manager /state/mapping/15005550100'],
    ['GET', '/tenant', 'tenant-service /tenants/acme'],
    ['GET', '/tenant/webhooks', 'webhook-ingest /tenants/acme/webhooks'],
    ['GET', '/tenants/globex/webhooks', 'webhook-ingest /tenants/globex/webhooks'],
    ['GET', '/api/chatbot/tenants/acme/config', 'botpress-connector /api/chatbot/tenants/acme/config'],
    ['POST', '/api/chatbot/tenants', 'botpress-connector /api/chatbot/tenants'],
    ['GET', '/tenant/dead-letters/state-manager', 'state-manager /tenants/acme/dead-letters'],
    ['POST', '/tenants/globex/dead-letters/whatsapp-connector/redrive', 'whatsapp-connector /tenants/globex/dead-letters/redrive'],
    ['GET', '/tenant/members/a%20b', 'auth-service /tenants/acme/members/a%20b'],
    ['DELETE', '/state/stats', 'GET,HEAD,OPTIONS'],
    ['POST', '/tenant', 'GET,PATCH,HEAD,OPTIONS'],
    ['TRACE', '/state/mapping', 'POST,OPTIONS'],
    ['GET', '/tenant/dead-letters/nobody', 'nothing'],
    ['GET', '/internal/tokens/verify', 'nothing'],
    ['GET', '/state', 'nothing'],
    ['GET', '/STATE/stats', 'nothing'],
    ['GET', '/state/mapping/%zz', 'nothing'],
  ])('of %s %s leads to %s', (method, path, target) => {
    expect(targetOf(method, path)).toBe(target);
  });

  it.each(['/state/../internal', '/state/./stats', '/state/..', '//state/stats', '/state//stats', '/state/%2e%2e/stats', '/state/mapping/a%2Fb', '/state/mapping/a%5cb', '/state/mapping/a\\b', '/state/mapping/a%00', '/state/mapping/a;b', '/state/stats#x', '/state/mapping/', '/tenant/members/'])(
    'of a path that another parser could read otherwise is none: %s',
    (path) => {
      expect(match('GET', path).kind).toBe('nothing');
    },
  );

  it('never leads out of the table: what comes out is a path of the contract, whatever came in', () => {
    const odd = fc.string({ unit: fc.constantFrom(...'/.%2eEfF5cC\\:;?#@ aé~') });
    fc.assert(
      fc.property(fc.constantFrom('GET', 'POST'), fc.constantFrom('/tenant/', '/tenants/acme/', '/tenant/members/', '/state/mapping/', '/'), odd, (method, prefix, rest) => {
        const found = match(method, prefix + rest);
        if (found.kind !== 'route') return true;
        const source = gatewayRoutes.find(({ contract }) => contract === found.route.contract)?.source.path ?? '';
        const path = new URL(found.route.servicePathOf(found.params, acme) ?? prefix + rest, 'http://hub').pathname;
        return new RegExp(`^${source.replaceAll(/:\w+/g, '[^/]+')}$`).test(path);
      }),
      { numRuns: 2_000 },
    );
  });
});
