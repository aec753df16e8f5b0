import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { problemSchema } from '@switchboard/contracts';
import { testTenants } from '@switchboard/testing';
import { connect } from 'node:net';
import { startService, type RunningService } from '../src/index.ts';
import { adminHeaders, describeRoute, internalTokenHeaders, keyHeaders, testEnvironment } from '../src/testing/index.ts';
import { createThing, getSystemScope, getTenantThing, getThing, misbehave, removeThing, sampleService, whoCalls } from './sample-service.ts';

const [acme] = testTenants;
let service: RunningService;
beforeAll(async () => {
  service = await startService(
    sampleService({
      rawRoutes: [
        { method: 'PUT', pattern: /^\/raw\/(\w+)$/, name: '/raw/:name', handle: (request, response, match) => void request.pipe(response.writeHead(200, { 'x-name': match[1] })) },
        { method: 'GET', pattern: /^\/raw-broken$/, handle: () => Promise.reject(new Error('hunter2')) },
      ],
    }),
    testEnvironment(),
  );
});
afterAll(() => service.stop());
const url = () => service.url;
const json = { 'content-type': 'application/json' };
const key = () => keyHeaders('auth-service', acme);
const send = (path: string, options: RequestInit = {}) => fetch(`${service.url}${path}`, options);

async function problemOf(response: Response) {
  expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  return problemSchema.strict().parse(await response.json());
}

const suite = { service: 'auth-service', url, tenants: testTenants } as const;
describeRoute(createThing, { ...suite, input: () => ({ body: { name: 'x' } }), badInputs: { 'an empty name': () => ({ body: { name: '' } }) } });
describeRoute(getThing, {
  ...suite,
  input: async (tenantId) => {
    const made = await send('/things', { method: 'POST', headers: { ...json, ...keyHeaders('auth-service', tenantId) }, body: '{"name":"x"}' });
    return { params: { thingId: ((await made.json()) as { thingId: string }).thingId } };
  },
  missing: () => ({ params: { thingId: 'none' } }),
});
describeRoute(getTenantThing, { ...suite, input: (tenantId) => ({ params: { tenantId } }) });
describeRoute(getSystemScope, { ...suite, input: () => ({}) });
describeRoute(whoCalls, { ...suite, input: () => ({ params: { name: 'x' }, body: {} }) });
describeRoute(removeThing, { ...suite, input: () => ({}) });
describeRoute(misbehave, { ...suite, input: () => ({ params: { how: 'well' } }) });

describe('the scope of a handler', () => {
  it("is the tenant of an admin route's path, and the system without one", async () => {
    expect(await (await send('/tenants/acme/scope', { headers: adminHeaders() })).json()).toEqual({ scope: 'acme' });
    expect(await (await send('/scope', { headers: adminHeaders() })).json()).toEqual({ scope: 'system' });
  });

  it('is the tenant of an internal token, and the system without one', async () => {
    const call = async (headers: Record<string, string>) => (await send('/internal/who/x', { method: 'POST', headers: { ...json, ...headers }, body: '{}' })).json();
    expect(await call(internalTokenHeaders('auth-service', acme))).toMatchObject({ scope: acme, service: 'state-manager' });
    expect(await call(internalTokenHeaders('auth-service'))).toMatchObject({ scope: 'system' });
  });

  it('is no tenant when the path names none that could be', async () => {
    expect((await problemOf(await send('/tenants/A!/scope', { headers: adminHeaders() }))).issues?.[0]?.path).toBe('params.tenantId');
  });
});

describe('a body', () => {
  const post = (body: string, headers: Record<string, string> = json) => send('/things', { method: 'POST', headers: { ...key(), ...headers }, body });

  it('that is not JSON is 400, of another type 415, above the cap 413', async () => {
    const answers = [await post('{"name":'), await post('name=x', { 'content-type': 'application/x-www-form-urlencoded' }), await post('{"name":"x"}', {}), await post(JSON.stringify({ name: 'x'.repeat(2_000) }))];
    expect(await Promise.all(answers.map(async (answer) => ({ status: answer.status, code: (await problemOf(answer)).code })))).toEqual([
      { status: 400, code: 'request.invalid' },
      { status: 415, code: 'request.not_json' },
      { status: 415, code: 'request.not_json' },
      { status: 413, code: 'request.too_large' },
    ]);
  });

  it('that is missing is told field by field', async () => {
    expect((await problemOf(await send('/things', { method: 'POST', headers: key() }))).issues).toEqual([{ path: 'body.name', message: expect.any(String) }]);
  });

  it('is not read before the caller is known', async () => {
    expect((await send('/things', { method: 'POST', headers: json, body: 'x'.repeat(100_000) })).status).toBe(401);
  });

  it('may name __proto__ without effect', async () => {
    expect((await post('{"name":"x","__proto__":{"admin":true}}')).status).toBe(400);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });
});

describe('an answer', () => {
  it('has a request id, the headers of helmet, no cache and no server name', async () => {
    const response = await send('/misbehave/well');
    expect(response.headers.get('x-request-id')).toMatch(/^req_[0-9a-z]{26}$/);
    expect(response.headers.get('content-security-policy')).toBeTruthy();
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('x-powered-by')).toBeNull();
  });

  it('carries headers that its handler gave', async () => {
    const response = await send('/things', { method: 'POST', headers: { ...json, ...key() }, body: '{"name":"x"}' });
    expect(response.headers.get('location')).toMatch(/^\/things\/t\d+$/);
  });

  it('to an unknown error tells nothing of it', async () => {
    for (const path of ['/misbehave/throw', '/misbehave/extra', '/raw-broken']) {
      const response = await send(path);
      const text = await response.text();
      expect({ status: response.status, code: (JSON.parse(text) as { code: string }).code }).toEqual({ status: 500, code: 'internal' });
      expect(text).not.toContain('hunter2');
    }
  });

  it('to an error of ours says when to come back, and keeps what is inside', async () => {
    const response = await send('/misbehave/later');
    expect({ status: response.status, retryAfter: response.headers.get('retry-after') }).toEqual({ status: 503, retryAfter: '3' });
    expect(JSON.stringify(await problemOf(response))).not.toContain('hunter2');
  });

  it('to a path or method that nobody serves is 404', async () => {
    for (const response of [await send('/nothing'), await send('/things', { method: 'PUT' }), await send('/raw/x')]) expect((await problemOf(response)).code).toBe('route.not_found');
  });

  it('to a path that cannot be decoded is 400', async () => {
    expect((await problemOf(await send('/things/%ff', { headers: key() }))).code).toBe('request.invalid');
  });
});

describe('a raw route', () => {
  it('gets the request before any parser', async () => {
    const response = await send('/raw/bytes', { method: 'PUT', body: '{ not json' });
    expect({ name: response.headers.get('x-name'), body: await response.text(), id: response.headers.get('x-request-id') }).toEqual({ name: 'bytes', body: '{ not json', id: expect.stringMatching(/^req_/) });
  });
});

describe('a request id', () => {
  const given = 'req_0123456789abcdefghjkmnpqrs';
  it('is taken over from another service, not from outside', async () => {
    const inside = await send('/internal/who/x', { method: 'POST', headers: { ...json, ...internalTokenHeaders('auth-service'), 'x-request-id': given }, body: '{}' });
    expect(inside.headers.get('x-request-id')).toBe(given);
    expect((await send('/misbehave/well', { headers: { 'x-request-id': given } })).headers.get('x-request-id')).not.toBe(given);
  });
});

describe('metrics', () => {
  it('count by route template; no id and no tenant becomes a label', async () => {
    await send('/things/some-id-of-mine', { headers: key() });
    await send('/some/scanner/path.php');
    const text = await (await send('/metrics')).text();
    expect(text).toContain('switchboard_http_request_seconds_count{method="GET",route="/things/:thingId",status="404"}');
    expect(text).toContain('route="/raw/:name"');
    expect(text).not.toMatch(/some-id-of-mine|scanner|acme/);
  });
});

describe('a connection', () => {
  it('that speaks no HTTP is closed without harm', async () => {
    const { port } = new URL(service.url);
    await new Promise<void>((resolve, reject) => {
      const socket = connect(Number(port), '127.0.0.1', () => socket.end('GARBAGE\r\n\r\n'));
      socket.resume().on('close', () => resolve()).on('error', reject);
    });
    expect((await send('/health/live')).status).toBe(200);
  });
});
