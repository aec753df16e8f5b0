import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { gatewayRoutes } from '@switchboard/contracts';
import { startWorld, type World } from './start-world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld({ variables: { PUBLIC_GATEWAY_URL: 'https://api.hub.test' } });
});
afterAll(() => world.stop());

type Operation = { readonly operationId: string; readonly security: Record<string, string[]>[]; readonly parameters: { readonly name: string; readonly in: string }[]; readonly responses: Record<string, unknown> };
type Document = { readonly openapi: string; readonly servers: unknown; readonly paths: Record<string, Record<string, Operation>> };

describe('/openapi.json', () => {
  it('is the table of routes as callers see it, and nothing internal', async () => {
    const document = (await (await fetch(`${world.url}/openapi.json`)).json()) as Document; // checked below
    expect(document).toMatchObject({ openapi: '3.1.0', servers: [{ url: 'https://api.hub.test' }] });
    const described = Object.entries(document.paths).flatMap(([path, operations]) => Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`));
    expect(described.toSorted()).toEqual(gatewayRoutes.map(({ contract }) => `${contract.method} ${contract.path.replaceAll(/:(\w+)/g, '{$1}')}`).toSorted());
    expect(described.filter((place) => place.includes('/internal'))).toEqual([]);
  });

  it("says of a tenant's own route that no id goes in and which scopes it takes", async () => {
    const { paths } = (await (await fetch(`${world.url}/openapi.json`)).json()) as Document;
    expect(paths['/tenant/webhooks']?.['get']).toMatchObject({ operationId: 'listWebhooksOwn', security: [{ apiKey: ['tenant:read'] }, { session: ['tenant:read'] }] });
    expect(paths['/tenant/webhooks']?.['get']?.parameters.map(({ name }) => name)).not.toContain('tenantId');
    expect(paths['/tenant/dead-letters/{service}']?.['get']?.parameters).toContainEqual(expect.objectContaining({ name: 'service', in: 'path' }));
    expect(Object.keys(paths['/state/stats']?.['get']?.responses ?? {})).toEqual(expect.arrayContaining(['200', '401', '403', '429', '502', '503', '504']));
  });
});

describe('/docs', () => {
  it('is a page of the gateway alone: every file it names is served, none is elsewhere, and its policy allows no other', async () => {
    const response = await fetch(`${world.url}/docs`);
    const page = await response.text();
    const named = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url = '']) => url);
    expect(named.length).toBeGreaterThan(2);
    for (const url of named) {
      expect(url).toMatch(/^\/docs\//);
      const file = await fetch(`${world.url}${url}`);
      expect([file.status, file.headers.get('x-content-type-options')]).toEqual([200, 'nosniff']);
      expect((await file.arrayBuffer()).byteLength).toBeGreaterThan(50);
    }
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'self'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toContain('upgrade-insecure-requests');
    expect(page).not.toMatch(/<script>|\son\w+=|https?:/);
  });

  it.each(['/docs/', '/docs/none.js', '/docs/package.json', '/docs/constructor', '/docs/..%2findex.js'])('has no way to %s', async (path) => {
    expect((await fetch(`${world.url}${path}`)).status).toBe(404);
  });
});
