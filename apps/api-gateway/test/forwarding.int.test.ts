import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { ServiceName } from '@switchboard/contracts';
import type { RawRoute } from '@switchboard/service-kit';
import { testSecrets } from '@switchboard/service-kit/testing';
import { testTenants } from '@switchboard/testing';
import { createServer, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { outcomesMin } from '../src/upstream/decide-breaker.ts';
import { startWorld, type World } from './start-world.ts';

const [acme, globex] = testTenants;

type Process = { readonly url: string; readonly seen: { readonly method: string; readonly url: string; readonly headers: IncomingHttpHeaders; readonly body: string }[]; answer: RequestListener; stop(): Promise<void> };
const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

/** A process of a service: keeps what it was asked, answers what the test says. */
async function startProcess(answer: RequestListener = (_, response) => void response.end('{}'), port = 0): Promise<Process> {
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      process.seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() });
      process.answer(request, response);
    });
    request.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const process: Process = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // TCP
    seen: [],
    answer,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  open.push(process.stop);
  return process;
}

async function worldOf(urls: Record<string, string>): Promise<World & { readonly keys: readonly [string, string] }> {
  const world = await startWorld({ variables: urls });
  open.push(world.stop);
  for (const tenantId of [acme, globex]) world.setTenant(tenantId);
  return { ...world, keys: [world.addKey(acme), world.addKey(globex)] };
}

const call = (world: World, path: string, key: string, init: RequestInit = {}) => fetch(`${world.url}${path}`, { ...init, headers: { 'x-api-key': key, ...(init.headers as Record<string, string> | undefined) } });

describe('a service of several processes', () => {
  it('is asked in turns, by each tenant as itself', async () => {
    const [one, two] = [await startProcess(), await startProcess()];
    const world = await worldOf({ STATE_MANAGER_URL: `${one.url},${two.url}` });
    for (let i = 0; i < 10; i++) expect((await call(world, '/state/stats', world.keys[i % 2]!)).status).toBe(200);
    expect([one.seen.length, two.seen.length]).toEqual([5, 5]);
  });

  it('goes on while one is away: what can be repeated is, once, what cannot is answered 503, and soon nobody notices', async () => {
    const [one, two] = [await startProcess(), await startProcess()];
    const world = await worldOf({ STATE_MANAGER_URL: `${one.url},${two.url}` });
    await two.stop();
    const statuses = async (init: RequestInit) => {
      const seen = new Set<number>();
      for (let i = 0; i < 3; i++) seen.add((await call(world, '/state/mapping', world.keys[0], init)).status);
      return [...seen].toSorted();
    };
    const post = { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } };
    expect(await statuses(post)).toEqual([200, 503]);
    expect(await statuses(post)).toEqual([200]);
    // Its second of rest is over: the next to be sent there can be repeated.
    await new Promise((resolve) => setTimeout(resolve, 1_050));
    expect(await statuses({ ...post, headers: { ...post.headers, 'idempotency-key': 'k' } })).toEqual([200]);
  });

  it('is asked nothing twice that was on its way', async () => {
    const [one, two] = [await startProcess((request) => void request.socket.destroy()), await startProcess((request) => void request.socket.destroy())];
    const world = await worldOf({ STATE_MANAGER_URL: `${one.url},${two.url}` });
    const response = await call(world, '/state/stats', world.keys[0]);
    expect({ status: response.status, retryAfter: response.headers.get('retry-after'), seen: one.seen.length + two.seen.length }).toEqual({ status: 502, retryAfter: '1', seen: 1 });
  });
});

describe('a service that mostly fails', () => {
  it('is given a rest, is tried once, and is back with the first good answer; others and their callers are not touched', async () => {
    const state = await startProcess((request) => void request.socket.destroy());
    const webhooks = await startProcess();
    const world = await worldOf({ STATE_MANAGER_URL: state.url, WEBHOOK_INGEST_URL: webhooks.url });
    const ask = async () => (await call(world, '/state/stats', world.keys[0])).status;
    for (let i = 0; i < outcomesMin; i++) expect(await ask()).toBe(502);

    const refused = await call(world, '/state/stats', world.keys[1]);
    expect(await refused.json()).toMatchObject({ status: 503, code: 'service.unavailable' });
    expect(refused.headers.get('retry-after')).toBe('2');
    expect(state.seen.length).toBe(outcomesMin);
    expect(await world.metrics()).toContain('switchboard_gateway_breaker_open{upstream="state-manager"} 1');
    expect((await call(world, '/tenant/webhooks', world.keys[0])).status).toBe(200);

    state.answer = (_, response) => void response.end('{}');
    await new Promise((resolve) => setTimeout(resolve, 2_050));
    expect([await ask(), await ask()]).toEqual([200, 200]);
    expect(await world.metrics()).toContain('switchboard_gateway_breaker_open{upstream="state-manager"} 0');
  });

  it('is not what refuses: answers of any status are answers', async () => {
    const state = await startProcess((_, response) => void response.writeHead(500).end('{}'));
    const world = await worldOf({ STATE_MANAGER_URL: state.url });
    for (let i = 0; i < outcomesMin + 5; i++) expect((await call(world, '/state/stats', world.keys[0])).status).toBe(500);
  });

  it('is not what a caller left', async () => {
    const state = await startProcess(() => undefined);
    const world = await worldOf({ STATE_MANAGER_URL: state.url, UPSTREAM_TIMEOUT_MS: '20000' });
    for (let i = 0; i < outcomesMin + 5; i++) await call(world, '/state/stats', world.keys[0], { signal: AbortSignal.timeout(15) }).catch(() => undefined);
    state.answer = (_, response) => void response.end('{}');
    expect((await call(world, '/state/stats', world.keys[0])).status).toBe(200);
  });
});

describe('a request', () => {
  let world: World & { readonly keys: readonly [string, string] };
  let state: Process;
  let auth: RawRoute['handle'];
  const keep: (() => Promise<unknown>)[] = [];
  const authSaw: IncomingMessage[] = [];
  beforeAll(async () => {
    state = await startProcess();
    const started = await startWorld({
      variables: { STATE_MANAGER_URL: state.url },
      rawRoutesOf: (service: ServiceName) => (service === 'auth-service' ? [{ method: 'POST', pattern: /^\/auth\/login$/, handle: (request, response, match) => auth(request, response, match) }] : []),
    });
    for (const tenantId of [acme, globex]) started.setTenant(tenantId);
    world = { ...started, keys: [started.addKey(acme), started.addKey(globex)] };
    keep.push(...open.splice(0), world.stop);
  });
  afterAll(async () => {
    for (const close of keep) await close();
  });

  it('keeps its trace, with a span of its own, and goes by the name that the answer tells', async () => {
    const response = await call(world, '/state/stats?a=%20b', world.keys[0], { headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', tracestate: 'vendor=1', 'x-request-id': 'req_chosen', 'x-switchboard-client': '10.1.1.1' } });
    const { url, headers } = state.seen.at(-1)!;
    expect(url).toBe('/state/stats?a=%20b');
    expect(headers['traceparent']).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-01$/);
    expect(headers).toMatchObject({ tracestate: 'vendor=1', 'x-request-id': response.headers.get('x-request-id'), 'x-switchboard-client': '127.0.0.1', host: new URL(state.url).host });
  });

  it('by HEAD is answered where GET is; by a method that is not there 405 with those that are; by OPTIONS these', async () => {
    const head = await call(world, '/state/stats', world.keys[0], { method: 'HEAD' });
    expect([head.status, state.seen.at(-1)?.method]).toEqual([200, 'HEAD']);
    const wrong = await call(world, '/state/stats', world.keys[0], { method: 'DELETE' });
    expect({ allow: wrong.headers.get('allow'), problem: await wrong.json() }).toMatchObject({ allow: 'GET, HEAD, OPTIONS', problem: { status: 405, code: 'route.method_not_allowed' } });
    const options = await call(world, '/state/stats', world.keys[0], { method: 'OPTIONS' });
    expect([options.status, options.headers.get('allow'), options.headers.get('access-control-allow-origin')]).toEqual([204, 'GET, HEAD, OPTIONS', null]);
  });

  it('whose body has no length is passed whole, and refused above the cap', async () => {
    const send = (megabytes: number) =>
      new Promise<number>((resolve) => {
        const { hostname, port } = new URL(world.url);
        const request = httpRequest({ hostname, port, method: 'POST', path: '/state/mapping', headers: { 'x-api-key': world.keys[0], 'transfer-encoding': 'chunked' } }, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        });
        request.on('error', () => undefined);
        for (let i = 0; i < megabytes * 16; i++) request.write('x'.repeat(65_536));
        request.end();
      });
    expect(await send(1)).toBe(200);
    expect(state.seen.at(-1)?.body.length).toBe(1_048_576);
    expect(await send(3)).toBe(413);
  });

  it('to log in carries the door it came to and its cookies, no stale credentials, and gets its cookies and redirections back', async () => {
    auth = (request, response) => {
      authSaw.push(request);
      response.writeHead(302, { location: 'https://idp.test/authorize?x=1', 'set-cookie': ['sso=1; HttpOnly', 'b=2'] }).end();
    };
    const response = await fetch(`${world.url}/auth/login`, { method: 'POST', redirect: 'manual', headers: { authorization: 'Bearer old.old.old', cookie: 'sso=0', 'x-tenant-id': globex } });
    expect([response.status, response.headers.get('location'), response.headers.getSetCookie()]).toEqual([302, 'https://idp.test/authorize?x=1', ['sso=1; HttpOnly', 'b=2']]);
    expect(authSaw.at(-1)?.headers).toMatchObject({ cookie: 'sso=0', 'x-switchboard-client': '127.0.0.1' });
    expect(authSaw.at(-1)?.headers['authorization']).toBeUndefined();
    expect(authSaw.at(-1)?.headers['x-tenant-id']).toBeUndefined();
  });

  it('by strangers at the same time is bounded by their address', async () => {
    auth = () => undefined;
    const { hostname, port } = new URL(world.url);
    const sockets = Array.from({ length: 32 }, () => connect(Number(port), hostname).on('error', () => undefined));
    for (const socket of sockets) socket.write('POST /auth/login HTTP/1.1\r\nhost: hub\r\ncontent-length: 2\r\n\r\n');
    const ask = () => fetch(`${world.url}/auth/login`, { method: 'POST', signal: AbortSignal.timeout(200) }).then((response) => response.status, () => 0);
    let status = 0;
    for (const deadline = Date.now() + 2_000; status !== 429 && Date.now() < deadline; ) status = await ask();
    expect(status).toBe(429);
    expect((await call(world, '/state/stats', world.keys[1])).status).toBe(200);
    for (const socket of sockets) socket.destroy();
  });

  it('of the platform is its own, whatever key is sent to services', async () => {
    const response = await fetch(`${world.url}/state/stats`, { headers: { authorization: `Bearer ${testSecrets.adminKey}` } });
    expect(response.status).toBe(401);
  });
});
