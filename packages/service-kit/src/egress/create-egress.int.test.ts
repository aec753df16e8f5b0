import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { isHubError, type HubError } from '@switchboard/contracts';
import type { LookupAddress } from 'node:dns';
import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { createEgress, type EgressOptions } from './create-egress.ts';

let server: Server;
let port = 0;
let reached = 0;
const sockets = new Set<number | undefined>();

beforeAll(async () => {
  server = createServer((request, response) => {
    reached++;
    sockets.add(request.socket.remotePort);
    const path = request.url ?? '';
    if (path === '/large') response.end(Buffer.alloc(200_000));
    else if (path === '/large-unannounced') {
      response.write(Buffer.alloc(100_000));
      response.end(Buffer.alloc(100_000));
    } else if (path === '/redirect') response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data/' }).end();
    else if (path === '/late') return;
    else if (path === '/drip') {
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
    } else if (path === '/reset') request.socket.destroy();
    else {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () =>
        response.writeHead(200, { 'x-host': request.headers.host, 'x-type': request.headers['content-type'] ?? '', 'x-length': request.headers['content-length'] ?? '' }).end(Buffer.concat(chunks)),
      );
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const egress of opened.splice(0)) await egress.close();
});

function egressWith(options: Partial<EgressOptions> = {}) {
  const egress = createEgress({ allow: ['127.0.0.0/8'], ...options });
  opened.push(egress);
  return egress;
}

const v4 = (address: string): LookupAddress => ({ address, family: 4 });

async function failureOf(promise: Promise<unknown>): Promise<HubError> {
  try {
    await promise;
  } catch (error) {
    if (isHubError(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('an outgoing call', () => {
  it('answers any status, headers and bytes', async () => {
    const reply = await egressWith().request({ method: 'POST', url: `http://127.0.0.1:${port}/echo`, headers: { 'content-type': 'application/json' }, body: '{"a":1}' });
    expect({ status: reply.status, body: reply.body.toString(), type: reply.headers['x-type'] }).toEqual({ status: 200, body: '{"a":1}', type: 'application/json' });
  });

  it('sends forms with their length, as providers want them', async () => {
    const form = new FormData();
    form.set('messaging_product', 'whatsapp');
    form.set('file', new Blob([Buffer.from('bytes')], { type: 'image/png' }), 'a.png');
    const reply = await egressWith().request({ method: 'POST', url: `http://127.0.0.1:${port}/echo`, body: form });
    expect(reply.headers['x-type']).toMatch(/^multipart\/form-data; boundary=/);
    expect(Number(reply.headers['x-length'])).toBe(reply.body.length);
    expect(reply.body.toString()).toContain('filename="a.png"');
  });

  it('keeps its connections for the next calls', async () => {
    const egress = egressWith();
    sockets.clear();
    for (let i = 0; i < 10; i++) await egress.request({ method: 'GET', url: `http://127.0.0.1:${port}/` });
    // Two, because an answer ends a moment before its connection is free.
    expect(sockets.size).toBeLessThanOrEqual(2);
  });

  it('does not follow redirects', async () => {
    const reply = await egressWith().request({ method: 'GET', url: `http://127.0.0.1:${port}/redirect` });
    expect({ status: reply.status, location: reply.headers['location'] }).toEqual({ status: 302, location: 'http://169.254.169.254/latest/meta-data/' });
  });

  it.each(['/large', '/large-unannounced'])('stops reading at its size cap: %s', async (path) => {
    const error = await failureOf(egressWith().request({ method: 'GET', url: `http://127.0.0.1:${port}${path}`, responseMaxBytes: 150_000 }));
    expect(error.code).toBe('media.too_large');
  });

  it.each(['/late', '/drip'])('ends when its time is over, and says that the other side may have it: %s', async (path) => {
    const started = performance.now();
    const error = await failureOf(egressWith().request({ method: 'POST', url: `http://127.0.0.1:${port}${path}`, body: 'x', timeoutMs: 150 }));
    expect(error).toMatchObject({ code: 'egress.failed', retry: 'later', detail: { sent: true, reason: 'timeout' } });
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  it('says that the other side may have it when the connection broke, and that it has not when there was none', async () => {
    expect(await failureOf(egressWith().request({ method: 'POST', url: `http://127.0.0.1:${port}/reset`, body: 'x' }))).toMatchObject({ code: 'egress.failed', detail: { sent: true } });
    const gone = createTcpServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => gone.once('listening', resolve));
    const { port: closedPort } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    expect(await failureOf(egressWith().request({ method: 'POST', url: `http://127.0.0.1:${closedPort}/`, body: 'x' }))).toMatchObject({ code: 'egress.failed', detail: { sent: false } });
    const unknown = egressWith({ resolveHost: async () => Promise.reject(Object.assign(new Error('no such host'), { code: 'ENOTFOUND' })) });
    expect(await failureOf(unknown.request({ method: 'GET', url: 'https://nowhere.example/' }))).toMatchObject({ code: 'egress.failed', detail: { sent: false } });
  });
});

describe('the guard', () => {
  it('refuses addresses in every form before any connection', async () => {
    const egress = egressWith({ allow: [] });
    reached = 0;
    for (const host of ['127.0.0.1', '2130706433', '0x7f.1', '0177.0.0.1', '[::1]', '[::ffff:127.0.0.1]', 'localhost']) {
      for (const scheme of ['http', 'https']) {
        expect(await failureOf(egress.request({ method: 'GET', url: `${scheme}://${host}:${port}/` }))).toMatchObject({ code: 'egress.refused', retry: 'never', detail: { sent: false } });
      }
    }
    expect(reached).toBe(0);
  });

  it('refuses a name that answers with a public address when it is checked and with a private one when it is called', async () => {
    let asked = 0;
    const rebinding = egressWith({ allow: [], resolveHost: async () => [v4(asked++ === 0 ? '93.184.215.14' : '127.0.0.1')] });
    await rebinding.assertAllowed(`https://rebind.example:${port}/`);
    reached = 0;
    expect(await failureOf(rebinding.request({ method: 'GET', url: `https://rebind.example:${port}/` }))).toMatchObject({ code: 'egress.refused' });
    expect({ asked, reached }).toEqual({ asked: 2, reached: 0 });
  });

  it('asks for a name once a connection: what was judged is what is connected to', async () => {
    let asked = 0;
    const egress = egressWith({
      resolveHost: async () => {
        asked++;
        return [v4('127.0.0.1')];
      },
    });
    const reply = await egress.request({ method: 'GET', url: `http://pinned.example:${port}/` });
    expect({ asked, host: reply.headers['x-host'] }).toEqual({ asked: 1, host: `pinned.example:${port}` });
  });

  it('refuses a name that answers with a public and a private address', async () => {
    const egress = egressWith({ allow: [], resolveHost: async () => [v4('93.184.215.14'), v4('10.0.0.1')] });
    expect(await failureOf(egress.assertAllowed('https://both.example/'))).toMatchObject({ code: 'egress.refused' });
    expect(await failureOf(egress.request({ method: 'GET', url: 'https://both.example/' }))).toMatchObject({ code: 'egress.refused' });
  });

  it('takes plain http only to networks that the platform allows', async () => {
    const egress = egressWith({ resolveHost: async () => [v4('93.184.215.14')] });
    expect(await failureOf(egress.request({ method: 'GET', url: 'http://example.com/' }))).toMatchObject({ code: 'egress.refused' });
    expect(await failureOf(egress.assertAllowed('http://example.com/'))).toMatchObject({ code: 'egress.refused' });
    await egress.assertAllowed('https://example.com/');
    await egress.assertAllowed(`http://127.0.0.1:${port}/`);
  });

  it('knows the hosts that the platform chose; a name that leads to an allowed network is not one of them', () => {
    const egress = egressWith({ allow: ['127.0.0.0/8', 'minio.internal'], resolveHost: async () => [v4('127.0.0.1')] });
    const chosen = ['http://127.0.0.1:3020/whatsapp', 'https://minio.internal', 'https://tenant.example', 'https://93.184.215.14'].map((url) => egress.isPlatformHost(url));
    expect(chosen).toEqual([true, true, false, false]);
  });

  it('tells a tenant what is wrong without the address that a name has inside', async () => {
    const error = await failureOf(egressWith({ resolveHost: async () => [v4('10.20.30.40')] }).assertAllowed('https://inside.example/'));
    expect(error.publicMessage).not.toContain('10.20.30.40');
    expect(error.detail['address']).toBe('10.20.30.40');
  });
});
