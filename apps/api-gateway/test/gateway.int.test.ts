import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateApiKey, newId, problemSchema, tenantIdSchema } from '@switchboard/contracts';
import { internalToken } from '@switchboard/service-kit/testing';
import { testTenants } from '@switchboard/testing';
import { connect } from 'node:net';
import { startNeighbours, type Neighbours } from './neighbours.ts';

const [acme, globex] = testTenants;

let hub: Neighbours;
beforeAll(async () => {
  hub = await startNeighbours();
});
afterAll(() => hub.stop());

const get = (path: string, headers: Record<string, string> = {}) => fetch(`${hub.url}${path}`, { headers });

async function problemOf(response: Response) {
  expect(response.headers.get('content-type')).toContain('application/problem+json');
  return problemSchema.parse(await response.json());
}

describe('who calls', () => {
  it('is the tenant of the key, told to the service by a signed token', async () => {
    const response = await get('/state/stats', { 'x-api-key': hub.addKey({ tenantId: acme, scopes: ['state:read'] }) });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ tenant: acme, scopes: ['state:read'] });
  });

  it('is never what a header from outside says', async () => {
    const headers = {
      'x-api-key': hub.addKey({ tenantId: acme }),
      'x-tenant-id': globex,
      'x-switchboard-internal': internalToken('state-manager', { tenantId: globex, scopes: ['state:read'] }),
      'x-switchboard-tenant': globex,
      'x-internal-user': 'root',
      'x-forwarded-user': 'root',
      'x-forwarded-for': '10.0.0.1',
      cookie: 'session=1',
      'idempotency-key': 'once',
    };
    expect(await (await get('/state/stats', headers)).json()).toMatchObject({ tenant: acme });
    await get('/state/conversations/cnv_1/messages', headers);
    const { headers: arrived } = hub.seen.at(-1)!;
    for (const name of ['x-tenant-id', 'x-switchboard-tenant', 'x-internal-user', 'x-forwarded-user', 'x-forwarded-for', 'authorization', 'cookie', 'x-api-key']) expect(arrived[name]).toBeUndefined();
    expect(arrived['idempotency-key']).toBe('once');
  });

  it('is answered one and the same 401 for no key, garbage, an unknown, a revoked and an expired key', async () => {
    const revoked = hub.addKey({ tenantId: acme });
    await hub.revoke(revoked);
    const keys = [undefined, 'sk_garbage', generateApiKey(newId('key')), revoked, hub.addKey({ tenantId: acme, expiresAt: '2020-01-01T00:00:00.000Z' })];
    const answers = await Promise.all(
      keys.map(async (key) => {
        const response = await get('/state/stats', key === undefined ? {} : { 'x-api-key': key });
        const { requestId: _, ...problem } = await problemOf(response);
        return { status: response.status, authenticate: response.headers.get('www-authenticate'), problem };
      }),
    );
    expect(answers[0]).toMatchObject({ status: 401, problem: { code: 'auth.missing' } });
    for (const answer of answers) expect(answer).toEqual(answers[0]);
  });

  it('asks nobody about a key whose checksum is wrong', async () => {
    const key = hub.addKey({ tenantId: acme });
    const wrong = `${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`;
    expect((await get('/state/stats', { 'x-api-key': wrong })).status).toBe(401);
    expect(hub.lookUpsOf(wrong)).toBe(0);
  });

  it('asks once for ten requests at a time with a new key', async () => {
    // Of a tenant of whom no other test has said anything: news of one, late, would have its keys asked about anew.
    const key = hub.addKey({ tenantId: tenantIdSchema.parse('initech') });
    const statuses = await Promise.all(Array.from({ length: 10 }, async () => (await get('/state/stats', { 'x-api-key': key })).status));
    expect({ statuses: new Set(statuses), lookUps: hub.lookUpsOf(key) }).toEqual({ statuses: new Set([200]), lookUps: 1 });
  });

  it('is nobody within two seconds after the key was revoked, and suspended as soon as the tenant is', async () => {
    const key = hub.addKey({ tenantId: acme });
    const other = hub.addKey({ tenantId: globex });
    expect((await get('/state/stats', { 'x-api-key': key })).status).toBe(200);
    expect((await get('/state/stats', { 'x-api-key': other })).status).toBe(200);
    await hub.revoke(key);
    await hub.change(globex, { status: 'suspended' });
    const deadline = Date.now() + 2_000;
    let statuses: number[] = [];
    while (Date.now() < deadline && statuses.join() !== '401,403') {
      statuses = [(await get('/state/stats', { 'x-api-key': key })).status, (await get('/state/stats', { 'x-api-key': other })).status];
    }
    expect(statuses).toEqual([401, 403]);
    await hub.change(globex, { status: 'active' });
  });

  it.each(['suspended', 'deleted'] as const)('is refused with 403 while its tenant is %s', async (status) => {
    const asleep = tenantIdSchema.parse(`asleep-${status}`);
    hub.setTenant(asleep, { status });
    const response = await get('/state/stats', { 'x-api-key': hub.addKey({ tenantId: asleep }) });
    expect(response.status).toBe(403);
    expect(await problemOf(response)).toMatchObject({ code: 'tenant.suspended' });
    expect((await get('/state/stats', { 'x-api-key': hub.addKey({ tenantId: acme }) })).status).toBe(200);
  });

  it('keeps to the scopes of the key', async () => {
    const response = await fetch(`${hub.url}/state/mapping`, { method: 'POST', headers: { 'x-api-key': hub.addKey({ tenantId: acme, scopes: ['state:read'] }), 'content-type': 'application/json' }, body: '{"text":"hi"}' });
    expect(response.status).toBe(403);
    expect(await problemOf(response)).toMatchObject({ code: 'auth.scope_missing' });
  });
});

describe('forwarding', () => {
  it('passes body, status, headers and one request id, and hardens the answer', async () => {
    const key = hub.addKey({ tenantId: acme });
    const created = await fetch(`${hub.url}/state/mapping`, { method: 'POST', headers: { 'x-api-key': key, 'content-type': 'application/json' }, body: JSON.stringify({ text: 'grüße' }) });
    expect({ status: created.status, body: await created.json() }).toEqual({ status: 201, body: { text: 'grüße' } });
    const response = await get('/state/conversations/cnv_1/messages?a=1&b=%20', { 'x-api-key': key });
    expect(response.headers.get('x-of-state')).toBe('yes');
    expect(response.headers.get('x-frame-options')).toBe('SAMEORIGIN');
    expect(response.headers.get('strict-transport-security')).toContain('max-age');
    expect(hub.seen.at(-1)).toMatchObject({ url: '/state/conversations/cnv_1/messages?a=1&b=%20', headers: { 'x-request-id': response.headers.get('x-request-id') } });
  });

  it('streams large answers whole', async () => {
    const body = await (await get('/state/mapping/large', { 'x-api-key': hub.addKey({ tenantId: acme }) })).arrayBuffer();
    expect(body.byteLength).toBe(160 * 64 * 1024);
  });

  it('answers 400 of the service as it is', async () => {
    const response = await fetch(`${hub.url}/state/mapping`, { method: 'POST', headers: { 'x-api-key': hub.addKey({ tenantId: acme }), 'content-type': 'application/json' }, body: '{"txet":1}' });
    expect(response.status).toBe(400);
    expect((await problemOf(response)).issues).toContainEqual({ path: 'body.txet', message: 'is not a known field' });
  });

  it('answers 504 when the service is late, 502 when it breaks off', async () => {
    const key = hub.addKey({ tenantId: acme });
    const late = await get('/state/mapping/late', { 'x-api-key': key });
    expect({ status: late.status, code: (await problemOf(late)).code }).toEqual({ status: 504, code: 'service.timeout' });
    const broken = await get('/state/mapping/broken', { 'x-api-key': key });
    expect({ status: broken.status, code: (await problemOf(broken)).code }).toEqual({ status: 502, code: 'service.broke_off' });
  });

  it('names in an error the request that it answers, also over a connection that an earlier one opened', async () => {
    const key = hub.addKey({ tenantId: acme });
    await get('/state/stats', { 'x-api-key': key });
    for (const path of ['/state/mapping/broken', '/state/mapping/late']) {
      const response = await get(path, { 'x-api-key': key });
      expect((await problemOf(response)).requestId).toBe(response.headers.get('x-request-id'));
    }
  });

  it.each(['/state/%2e%2e/internal', '/state/..%2finternal', '/state/a\\..\\b', '/other', '/stateful'])('has no way to %s', async (path) => {
    const response = await get(path, { 'x-api-key': hub.addKey({ tenantId: acme }) });
    expect(response.status).toBe(404);
    expect(await problemOf(response)).toMatchObject({ code: 'route.not_found' });
  });

  it('answers 413 to a body above its cap', async () => {
    const response = await fetch(`${hub.url}/state/mapping`, { method: 'POST', headers: { 'x-api-key': hub.addKey({ tenantId: acme }), 'content-type': 'application/json' }, body: 'x'.repeat(3_000_000) });
    expect(response.status).toBe(413);
  });
});

describe('the limit', () => {
  it("counts a tenant's requests over all its keys, says so in headers, and leaves the others alone", async () => {
    const fresh = await startNeighbours();
    try {
      for (const tenantId of testTenants) fresh.setTenant(tenantId, { rateLimit: 4 });
      const keys = [fresh.addKey({ tenantId: acme }), fresh.addKey({ tenantId: acme })];
      const statuses: number[] = [];
      let last: Response | undefined;
      for (let i = 0; i < 6; i++) {
        last = await fetch(`${fresh.url}/state/stats`, { headers: { 'x-api-key': keys[i % 2]! } });
        statuses.push(last.status);
      }
      expect(statuses).toEqual([200, 200, 200, 200, 429, 429]);
      expect(last!.headers.get('ratelimit-policy')).toBe('4;w=60');
      expect(last!.headers.get('ratelimit')).toMatch(/^limit=4, remaining=0, reset=\d+$/);
      expect(Number(last!.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await problemOf(last!)).toMatchObject({ code: 'limit.rate_exceeded', status: 429 });
      expect((await fetch(`${fresh.url}/state/stats`, { headers: { 'x-api-key': fresh.addKey({ tenantId: globex }) } })).status).toBe(200);
    } finally {
      await fresh.stop();
    }
  });
});

describe('a slow caller', () => {
  /** Sends the head of a POST and nothing of its body; ended by the test. */
  const begin = (key: string) => {
    const { hostname, port } = new URL(hub.url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    socket.write(`POST /state/conversations/cnv_1/messages HTTP/1.1\r\nhost: hub\r\nx-api-key: ${key}\r\ncontent-type: application/json\r\ncontent-length: 13\r\n\r\n`);
    return socket;
  };

  it('keeps no connection to the service before its body has come: more of them than there are connections stop nobody', async () => {
    const slow = Array.from({ length: 5 }, (_, index) => hub.addKey({ tenantId: tenantIdSchema.parse(`slow-${index}`) }));
    const sockets = slow.flatMap((key) => Array.from({ length: 31 }, () => begin(key)));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect((await get('/state/stats', { 'x-api-key': hub.addKey({ tenantId: acme }) })).status).toBe(200);
    const [last] = sockets.slice(-1);
    const answer = new Promise<string>((resolve) => last?.once('data', (chunk) => resolve(String(chunk))));
    last?.write('{"text":"hi"}');
    expect(await answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(hub.seen.at(-1)).toMatchObject({ method: 'POST', headers: { 'content-length': '13' } });
    for (const socket of sockets) socket.destroy();
  });

  it('gets 429 above 32 requests at the same time, and takes nothing from other tenants', async () => {
    const key = hub.addKey({ tenantId: acme });
    const sockets = Array.from({ length: 32 }, () => begin(key));
    const other = { 'x-api-key': hub.addKey({ tenantId: globex }) };
    const own = () => get('/state/stats', { 'x-api-key': key });
    let refused = await own();
    for (const deadline = Date.now() + 2_000; refused.status !== 429 && Date.now() < deadline; ) refused = await own();
    expect({ status: refused.status, retryAfter: refused.headers.get('retry-after'), problem: await problemOf(refused) }).toMatchObject({ status: 429, retryAfter: '1', problem: { code: 'limit.rate_exceeded' } });
    expect((await get('/state/stats', other)).status).toBe(200);
    for (const socket of sockets) socket.destroy();
    let again = await own();
    for (const deadline = Date.now() + 2_000; again.status !== 200 && Date.now() < deadline; ) again = await own();
    expect(again.status).toBe(200);
  });
});

describe('neighbours that are away', () => {
  it('are 503 with Retry-After; a known key goes on without tenant-service', async () => {
    const fresh = await startNeighbours();
    try {
      const key = fresh.addKey({ tenantId: acme });
      expect((await fetch(`${fresh.url}/state/stats`, { headers: { 'x-api-key': key } })).status).toBe(200);
      await fresh.stopTenantService();
      expect((await fetch(`${fresh.url}/state/stats`, { headers: { 'x-api-key': key } })).status).toBe(200);
      const unknown = await fetch(`${fresh.url}/state/stats`, { headers: { 'x-api-key': generateApiKey(newId('key')) } });
      expect({ status: unknown.status, retryAfter: unknown.headers.get('retry-after') }).toEqual({ status: 503, retryAfter: '1' });
      await fresh.stopStateManager();
      const away = await fetch(`${fresh.url}/state/stats`, { headers: { 'x-api-key': key } });
      expect({ status: away.status, code: (await problemOf(away)).code }).toEqual({ status: 503, code: 'service.unavailable' });
    } finally {
      await fresh.stop();
    }
  });
});
