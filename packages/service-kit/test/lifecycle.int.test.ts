import { describe, expect, it } from '@jest/globals';
import { hubError } from '@switchboard/contracts';
import { startService } from '../src/index.ts';
import { adminHeaders, testEnvironment } from '../src/testing/index.ts';
import { sampleService } from './sample-service.ts';

const refusal = (text: string) => expect.objectContaining({ name: 'StartRefusal', message: expect.stringContaining(text) });

describe('starting', () => {
  it('is refused in one sentence when the port is in use', async () => {
    const first = await startService(sampleService(), testEnvironment());
    const { port } = new URL(first.url);
    await expect(startService(sampleService(), testEnvironment({ PORT: port }))).rejects.toEqual(refusal(`Port ${port} (auth-service) is in use`));
    await first.stop();
  });

  it('is refused with all that is missing, the kit\'s and the service\'s', async () => {
    await expect(startService(sampleService(), { PORT: 'x' })).rejects.toEqual(refusal('INTERNAL_TOKEN_SECRET is missing'));
  });

  it('closes what it opened when the service cannot be built', async () => {
    const broken = { ...sampleService(), build: () => Promise.reject(new Error('no')) };
    await expect(startService(broken, testEnvironment())).rejects.toThrow('no');
  });

  it('works for many in one process, each with its own', async () => {
    const all = await Promise.all([1, 2, 3].map(() => startService(sampleService(), testEnvironment())));
    expect(new Set(all.map(({ url }) => url)).size).toBe(3);
    const metrics = await Promise.all(all.map(async ({ url }) => (await fetch(`${url}/metrics`)).status));
    expect(metrics).toEqual([200, 200, 200]);
    await Promise.all(all.map(({ stop }) => stop()));
  });

  it('shows its metrics on a port of their own when it is told to, and nowhere else', async () => {
    const service = await startService(sampleService(), testEnvironment({ METRICS_PORT: '0' }));
    expect((await fetch(`${service.url}/metrics`)).status).toBe(404);
    const own = await fetch(`${service.metricsUrl}/metrics`);
    expect(await own.text()).toContain('switchboard_');
    expect((await fetch(`${service.metricsUrl}/health/live`)).status).toBe(404);
    await service.stop();
    await expect(fetch(`${service.metricsUrl}/metrics`)).rejects.toThrow('fetch failed');
  });

  it('runs onStart before the port opens and onStop after it closed', async () => {
    const order: string[] = [];
    let url = '';
    const isOpen = async () => fetch(`${url}/health/live`).then(
      () => 'open',
      () => 'closed',
    );
    const service = await startService(
      sampleService({
        onStart: async () => void order.push('start'),
        onStop: async () => void order.push(`stop ${await isOpen()}`),
      }),
      testEnvironment(),
    );
    ({ url } = service);
    order.push(await isOpen());
    await service.stop();
    expect(order).toEqual(['start', 'open', 'stop closed']);
  });
});

describe('health', () => {
  it('is ready when everything is, and names what is not, without telling why', async () => {
    const media: { fault?: string } = {};
    const service = await startService(sampleService({ readiness: { media: async () => media.fault, slow: async () => undefined } }), testEnvironment());
    const ready = async () => {
      const response = await fetch(`${service.url}/health/ready`);
      return { status: response.status, body: await response.json() };
    };
    expect(await ready()).toEqual({ status: 200, body: { status: 'ready', checks: { bus: 'ok', media: 'ok', slow: 'ok' } } });
    media.fault = 'bucket hunter2 is gone';
    expect(await ready()).toEqual({ status: 503, body: { status: 'not_ready', checks: { bus: 'ok', media: 'failed', slow: 'ok' } } });
    expect((await fetch(`${service.url}/health/live`)).status).toBe(200);
    await service.stop();
  });

  it('does not wait for a check that hangs', async () => {
    const service = await startService(sampleService({ readiness: { hangs: () => new Promise(() => undefined), throws: () => Promise.reject(new Error('x')) } }), testEnvironment());
    const started = performance.now();
    const response = await fetch(`${service.url}/health/ready`);
    expect({ status: response.status, body: await response.json() }).toMatchObject({ status: 503, body: { checks: { hangs: 'failed', throws: 'failed' } } });
    expect(performance.now() - started).toBeLessThan(2_000);
    await service.stop();
  });
});

describe('stopping', () => {
  it('says draining first, finishes what is under way, takes nothing new', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const service = await startService(
      sampleService({
        rawRoutes: [
          {
            method: 'GET',
            pattern: /^\/hold$/,
            handle: async (_, response) => {
              await held;
              response.end('finished');
            },
          },
        ],
      }),
      testEnvironment({ DRAIN_DELAY_MS: '150' }),
    );
    const underWay = fetch(`${service.url}/hold`);
    await new Promise((resolve) => setTimeout(resolve, 30));
    const stopping = service.stop();
    expect(service.stop()).toStrictEqual(stopping);
    const draining = await fetch(`${service.url}/health/ready`);
    expect({ status: draining.status, body: await draining.json() }).toEqual({ status: 503, body: { status: 'draining' } });
    await new Promise((resolve) => setTimeout(resolve, 250));
    await expect(fetch(`${service.url}/health/live`)).rejects.toThrow('fetch failed');
    release();
    expect(await (await underWay).text()).toBe('finished');
    await stopping;
  });

  it('lets the handler of a failed request be answered', async () => {
    const service = await startService(sampleService({ rawRoutes: [{ method: 'GET', pattern: /^\/no$/, handle: () => Promise.reject(hubError('storage.unavailable')) }] }), testEnvironment());
    const response = await fetch(`${service.url}/no`, { headers: adminHeaders() });
    expect({ status: response.status, retryAfter: response.headers.get('retry-after') }).toEqual({ status: 503, retryAfter: '1' });
    await service.stop();
  });
});
