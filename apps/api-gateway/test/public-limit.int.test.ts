import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ServiceName } from '@switchboard/contracts';
import { testRedis, testTenants } from '@switchboard/testing';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { startWorld, type World } from './start-world.ts';

const [acme, globex] = testTenants;
const perMinute = 4;
const login = ['POST', '/auth/login'] as const;
type Place = readonly [method: string, path: string];
type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders };

async function start(variables: Readonly<Record<string, string>>): Promise<World> {
  const well = (method: string, pattern: RegExp) => ({ method, pattern, handle: (_: unknown, response: { end(text: string): unknown }) => void response.end('{}') });
  const answers: Partial<Record<ServiceName, ReturnType<typeof well>[]>> = { 'auth-service': [well('*', /^\/(?:auth|\.well-known)\//)], 'state-manager': [well('GET', /^\/state\/stats$/)] };
  const world = await startWorld({ rawRoutesOf: (service) => answers[service] ?? [], variables: { PUBLIC_REQUESTS_PER_MINUTE: String(perMinute), ...variables } });
  for (const tenantId of testTenants) world.setTenant(tenantId, { rateLimit: 10, corsOrigins: [`https://app.${tenantId}.test`] });
  return world;
}

/** Not fetch: that keeps Host to itself. */
function ask(world: World, [method, path]: Place, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const { hostname, port } = new URL(world.url);
  return new Promise((resolve, reject) => {
    const request = httpRequest({ hostname, port, method, path, headers }, (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, headers: response.headers });
    });
    request.on('error', reject).end();
  });
}
const from = (address: string, more: Readonly<Record<string, string>> = {}) => ({ 'x-forwarded-for': address, ...more });
/** How many of so many are let in. */
async function letIn(count: number, one: () => Promise<Answer>): Promise<number> {
  const statuses = [];
  for (let i = 0; i < count; i++) statuses.push((await one()).status);
  expect(new Set(statuses).size).toBeLessThanOrEqual(2);
  return statuses.filter((status) => status < 400).length;
}

describe('routes that ask for no credentials', () => {
  let world: World;
  beforeAll(async () => {
    world = await start({ TRUSTED_PROXIES: '127.0.0.1' });
  });
  afterAll(() => world.stop());

  it('take of one address so many requests a minute, all of them together, and say so', async () => {
    const places: Place[] = [login, ['POST', '/auth/refresh'], ['POST', '/auth/invitations/accept'], ['GET', '/.well-known/jwks.json'], ['GET', '/auth/sso/start?tenantId=acme'], ['GET', '/docs'], ['GET', '/openapi.json']];
    const answers = [];
    for (const place of places) answers.push(await ask(world, place, from('198.51.100.1')));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 429, 429, 429]);
    expect(answers[0]?.headers).toMatchObject({ 'ratelimit-policy': '4;w=60', ratelimit: expect.stringMatching(/^limit=4, remaining=3, reset=\d+$/) });
    for (const { headers } of answers.slice(4)) expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    expect(await letIn(6, () => ask(world, ['GET', '/openapi.json'], from('198.51.100.2')))).toBe(perMinute);
    expect(await letIn(6, () => ask(world, ['GET', '/docs/start.js'], from('198.51.100.3')))).toBe(perMinute);
  });

  it('count a v6 address with its /64, and the same v4 address in every writing', async () => {
    let host = 0;
    expect(await letIn(6, () => ask(world, login, from(`2001:db8:1:2::${++host}`)))).toBe(perMinute);
    expect(await letIn(6, () => ask(world, login, from('2001:db8:1:3::1')))).toBe(perMinute);
    expect(await letIn(6, () => ask(world, login, from(++host % 2 === 0 ? '198.51.100.4' : '::ffff:198.51.100.4')))).toBe(perMinute);
  });

  it('spend nothing of a tenant, at its own host too: its keys go on, and its other people', async () => {
    const host = `${acme}.hub.test`;
    expect(await letIn(20, () => ask(world, login, from('198.51.100.5', { host })))).toBe(perMinute);
    expect(await letIn(12, () => ask(world, ['GET', '/state/stats'], { 'x-api-key': world.addKey(acme) }))).toBe(10);
    expect((await ask(world, login, from('198.51.100.6', { host }))).status).toBe(200);
  });

  it('let a page of the tenant read that it asked too often', async () => {
    const page = from('198.51.100.7', { host: `${globex}.hub.test`, origin: `https://app.${globex}.test` });
    await letIn(perMinute, () => ask(world, login, page));
    expect(await ask(world, login, page)).toMatchObject({ status: 429, headers: { 'access-control-allow-origin': `https://app.${globex}.test` } });
  });

  it('count somebody with a key by address as well as for the tenant', async () => {
    const key = { 'x-api-key': world.addKey(globex) };
    expect(await letIn(6, () => ask(world, login, from('198.51.100.8', key)))).toBe(perMinute);
    expect((await ask(world, ['GET', '/state/stats'], from('198.51.100.8', key))).headers['ratelimit']).toMatch(/^limit=10, remaining=5,/);
  });
});

describe('an address that nobody trustworthy says', () => {
  it('is not counted: whoever makes up addresses is one', async () => {
    const world = await start({});
    let made = 0;
    expect(await letIn(6, () => ask(world, login, from(`203.0.113.${++made}`)))).toBe(perMinute);
    await world.stop();
  });
});

describe('a host that may read by its name alone', () => {
  it('is not used up by one address', async () => {
    const world = await start({ TRUSTED_PROXIES: '127.0.0.1', TRUSTED_SUBDOMAINS: 'true' });
    const host = `${acme}.hub.test`;
    const read = (address: string) => ask(world, ['GET', '/state/stats'], from(address, { host }));
    expect(await letIn(20, () => ask(world, ['GET', '/auth/sso/start'], from('198.51.100.1', { host })))).toBe(perMinute);
    expect(await letIn(20, () => read('198.51.100.1'))).toBe(5);
    expect(await letIn(1, () => read('198.51.100.2'))).toBe(1);
    expect(await letIn(12, () => ask(world, ['GET', '/state/stats'], { 'x-api-key': world.addKey(acme) }))).toBe(4);
    expect((await ask(world, ['GET', '/state/stats'], { host: `${globex}.hub.test` })).status).toBe(200);
    await world.stop();
  });
});

/** Requests that the gateway has counted by itself, after one more was sent if wanted. */
async function countsLocally(world: World, afterOneMore = false): Promise<string | undefined> {
  if (afterOneMore) await ask(world, login, from('203.0.113.77'));
  return /limit_local_total(?:\{[^}]*\})? (\d+)$/m.exec(await world.metrics())?.[1];
}

const redis = testRedis();
(redis === undefined ? describe.skip : describe)('several gateways at one Redis', () => {
  it('count an address together', async () => {
    // Another one in each run of the tests: their Redis may remember.
    const address = `2001:db8:${Math.floor(Math.random() * 65_536).toString(16)}:${process.pid.toString(16).slice(-4)}::1`;
    const variables = { TRUSTED_PROXIES: '127.0.0.1', REDIS_URL: redis?.url ?? '' };
    const worlds = [await start(variables), await start(variables)];
    // Until Redis is connected, and counts.
    for (const world of worlds) while ((await countsLocally(world)) !== (await countsLocally(world, true)));
    let asked = 0;
    const accepted = await letIn(12, () => ask(worlds[++asked % 2]!, login, from(address)));
    expect(accepted).toBe(perMinute);
    for (const world of worlds) await world.stop();
  });
});
