import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ServiceName } from '@switchboard/contracts';
import { testSecrets } from '@switchboard/service-kit/testing';
import { testTenants } from '@switchboard/testing';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { startWorld, type World } from './start-world.ts';

const [acme, globex] = testTenants;
const ofAcme = 'https://app.acme.test';
const ofGlobex = 'https://desk.globex.test:8443';
const ofSuspended = 'https://gone.test';

let answerMadeUp: () => void = () => undefined;
const madeUpAnswered = new Promise<void>((resolve) => (answerMadeUp = resolve));

let world: World;
let keys: Record<'acme' | 'globex', string>;
beforeAll(async () => {
  world = await startWorld({
    variables: { TRUSTED_PROXIES: '127.0.0.1' },
    beforeOrigin: async (origin) => {
      if (origin.includes('made-up')) await madeUpAnswered;
    },
    rawRoutesOf: (service: ServiceName) =>
      service === 'state-manager' ? [{ method: 'GET', pattern: /^\/state\/stats$/, handle: (_, response) => void response.writeHead(200, { 'access-control-allow-origin': '*', vary: 'Accept-Encoding' }).end('{}') }] : [],
  });
  world.setTenant(acme, { corsOrigins: [ofAcme] });
  world.setTenant(globex, { corsOrigins: [ofGlobex] });
  world.setTenant('gone' as typeof acme, { corsOrigins: [ofSuspended], status: 'suspended' }); // a third one's id, of the right form
  keys = { acme: world.addKey(acme), globex: world.addKey(globex) };
});
afterAll(() => world.stop());

/** Not fetch: that keeps Origin and Host to itself. */
function ask(method: string, headers: Record<string, string>): Promise<{ status: number; headers: IncomingHttpHeaders }> {
  const { hostname, port } = new URL(world.url);
  return new Promise((resolve, reject) => {
    const request = httpRequest({ hostname, port, method, path: '/state/stats', headers }, (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, headers: response.headers });
    });
    request.on('error', reject).end();
  });
}

const preflight = (origin: string, host?: string) => ask('OPTIONS', { origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'x-api-key', ...(host === undefined ? {} : { host }) });
const allowed = (answer: { headers: IncomingHttpHeaders }) => answer.headers['access-control-allow-origin'];

describe('a page in a browser', () => {
  it('reads the answers to the keys of its own tenant, and of no other', async () => {
    expect(allowed(await ask('GET', { origin: ofAcme, 'x-api-key': keys.acme }))).toBe(ofAcme);
    expect(allowed(await ask('GET', { origin: ofAcme, 'x-api-key': keys.globex }))).toBeUndefined();
    expect(allowed(await ask('GET', { origin: ofGlobex, 'x-api-key': keys.globex }))).toBe(ofGlobex);
    expect(allowed(await ask('GET', { origin: ofAcme, authorization: `Bearer ${testSecrets.adminKey}` }))).toBeUndefined();
    expect(allowed(await ask('GET', { origin: ofAcme }))).toBeUndefined();
  });

  it('is its exact origin: scheme, host, port and case, never null, never everybody', async () => {
    for (const origin of ['http://app.acme.test', 'https://app.acme.test:443', 'https://APP.acme.test', 'https://app.acme.test.evil.test', 'https://app.acme.test/', 'null', '*', '']) {
      expect(allowed(await ask('GET', { origin, 'x-api-key': keys.acme }))).toBeUndefined();
      expect(allowed(await preflight(origin))).toBeUndefined();
    }
  });

  it('is told by every answer that others get another one, and is given no cookies', async () => {
    for (const origin of [ofAcme, 'https://other.test']) {
      const { headers } = await ask('GET', { origin, 'x-api-key': keys.acme });
      expect(headers.vary).toBe('Origin, Accept-Encoding');
      expect(headers['access-control-allow-credentials']).toBeUndefined();
    }
    expect((await ask('GET', { 'x-api-key': keys.acme })).headers.vary).toContain('Origin');
  });

  it('may ask before it sends: at the common host when any active tenant lists it', async () => {
    const answer = await preflight(ofAcme);
    expect(answer).toMatchObject({ status: 204, headers: { 'access-control-allow-origin': ofAcme, 'access-control-allow-methods': 'GET, HEAD, OPTIONS', vary: expect.stringContaining('Origin') } });
    expect(answer.headers['access-control-allow-headers']).toContain('x-api-key');
    expect(allowed(await preflight(ofSuspended))).toBeUndefined();
    expect(allowed(await preflight('https://stranger.test'))).toBeUndefined();
  });

  it('may ask at the host of a tenant when that tenant lists it', async () => {
    expect(allowed(await preflight(ofAcme, `${acme}.hub.test`))).toBe(ofAcme);
    expect(allowed(await preflight(ofGlobex, `${acme}.hub.test`))).toBeUndefined();
  });

  it('has tenant-service asked once, however often it asks', async () => {
    await preflight('https://often.test');
    const before = world.originsAsked();
    await Promise.all(Array.from({ length: 10 }, () => preflight('https://often.test')));
    expect(world.originsAsked()).toBe(before);
  });

  it('is held up by no network that asks for many at once, which may ask for as many as it may send requests', async () => {
    const from = (address: string, origin: string) => ask('OPTIONS', { origin, 'access-control-request-method': 'GET', 'x-forwarded-for': address });
    let refused = 0;
    const flood = Array.from({ length: 60 }, async (_, i) => {
      const answer = await from(`2001:db8:5:6::${i.toString(16)}`, `https://made-up-${i}.test`);
      if (answer.status === 429) refused++;
      return answer;
    });
    while (refused < 28) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await from('2001:db8:5:7::1', ofAcme)).toMatchObject({ status: 204, headers: { 'access-control-allow-origin': ofAcme } });
    answerMadeUp();
    const statuses = (await Promise.all(flood)).map(({ status }) => status);
    expect([204, 429].map((status) => statuses.filter((one) => one === status).length)).toEqual([32, 28]);
  });
});
