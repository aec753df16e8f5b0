import { describe, expect, it } from '@jest/globals';
import { createPace } from '@switchboard/connector-kit';
import { pacedEgress } from './paced-egress.ts';

function world(status = 200) {
  let now = 0;
  const called: string[] = [];
  const slept: number[] = [];
  const pace = createPace({ perMinute: 60, burst: 2, waitMaxMs: 1_500, now: () => new Date(now) });
  const sleep = async (ms: number) => void slept.push(ms);
  const egress = pacedEgress({ request: async ({ url }) => ({ status, headers: {}, body: Buffer.from(String(called.push(url))) }) }, { pace, sleep });
  return { called, slept, egress, get: (url: string) => egress.request({ method: 'GET', url }), pass: (ms: number) => (now += ms) };
}

describe('calls to a Chatwoot server', () => {
  it('wait for its turn, whichever account of it they are for, and no other server\'s', async () => {
    const { get, slept, called } = world();
    for (const account of [1, 2, 3]) await get(`https://cw.example.com/api/v1/accounts/${account}/conversations`);
    await get('https://other.example.com/api/v1/accounts/1/conversations');
    expect(slept).toEqual([1_000]);
    expect(called).toHaveLength(4);
  });

  it('are put off without being made when the turn is too far away, and that uses up no attempt', async () => {
    const { get, called } = world();
    for (let call = 0; call < 3; call++) await get('https://cw.example.com/');
    await expect(get('https://cw.example.com/')).rejects.toMatchObject({ code: 'provider.throttled', retry: { afterMs: 2_000, counted: false }, detail: { sent: false } });
    expect(called).toHaveLength(3);
  });

  it('stop for the server\'s whole minute once it has throttled', async () => {
    const { get, pass, called } = world(429);
    await get('https://cw.example.com/');
    pass(55_000);
    await expect(get('https://cw.example.com/')).rejects.toMatchObject({ code: 'provider.throttled' });
    pass(5_001);
    await get('https://cw.example.com/');
    expect(called).toHaveLength(2);
  });
});
