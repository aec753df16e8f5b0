import { describe, expect, it } from '@jest/globals';
import { testKit } from '@switchboard/service-kit/testing';
import { createUpstream } from './create-upstream.ts';

const { log } = testKit({ name: 'api-gateway', config: {} });
const at = (...addresses: string[]) => addresses.map((address) => ({ origin: `http://${address}:3002`, host: `${address}.state:3002`, servername: 'state' }));
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('a service behind a name', () => {
  it('is followed to its new processes within seconds, and goes on by the old ones while the name leads nowhere', async () => {
    let now = 0;
    let answer = async () => at('10.0.0.1', '10.0.0.2');
    const upstream = createUpstream({ service: 'state-manager', urls: ['http://state:3002'], timeoutMs: 1_000, log, now: () => now, resolve: () => answer() });
    const hosts = async () => {
      const leases = [await upstream.lease(), await upstream.lease()];
      for (const lease of leases) lease.end('answered');
      return leases.map(({ host }) => host.slice(0, 8)).toSorted();
    };
    expect(await hosts()).toEqual(['10.0.0.1', '10.0.0.2']);
    answer = async () => at('10.0.0.2', '10.0.0.3');
    expect(await hosts()).toEqual(['10.0.0.1', '10.0.0.2']);
    now = 6_000;
    await hosts();
    await settled();
    expect(await hosts()).toEqual(['10.0.0.2', '10.0.0.3']);
    answer = () => Promise.reject(new Error('ENOTFOUND'));
    now = 12_000;
    await hosts();
    await settled();
    expect(await hosts()).toEqual(['10.0.0.2', '10.0.0.3']);
    await upstream.close();
  });

  it('is not available while nothing was ever found', async () => {
    const upstream = createUpstream({ service: 'state-manager', urls: ['http://state:3002'], timeoutMs: 1_000, log, resolve: () => Promise.reject(new Error('ENOTFOUND')) });
    await expect(Promise.resolve(upstream.lease())).rejects.toMatchObject({ code: 'service.unavailable' });
  });
});
