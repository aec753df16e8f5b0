import { describe, expect, it } from '@jest/globals';
import { createPace } from '@switchboard/connector-kit';
import { pacedEgress } from './paced-egress.ts';

function world(statusOf: (url: string) => number = () => 200) {
  let now = 0;
  const called: string[] = [];
  const slept: number[] = [];
  const pace = createPace({ perMinute: 60, burst: 2, waitMaxMs: 1_500, now: () => new Date(now) });
  const sleep = async (ms: number) => void slept.push(ms);
  const egress = pacedEgress({ request: async ({ url }) => ({ status: statusOf(url), headers: {}, body: Buffer.from(String(called.push(url))) }) }, { pace, sleep });
  return { called, slept, get: (host: string, account: number) => egress.request({ method: 'GET', url: `https://${host}/api/v1/accounts/${account}/conversations` }), egress, pass: (ms: number) => (now += ms) };
}

describe('calls to a Chatwoot server', () => {
  it('wait for its turn, whichever account of it they are for, and no other server\'s', async () => {
    const { get, slept, called } = world();
    for (const account of [1, 2, 3]) await get('cw.example.com', account);
    await get('other.example.com', 1);
    expect(slept).toEqual([1_000]);
    expect(called).toHaveLength(4);
  });

  it('are put off without being made when the turn is too far away, and that uses up no attempt', async () => {
    const { get, called } = world();
    for (const account of [1, 2, 3]) await get('cw.example.com', account);
    await expect(get('cw.example.com', 4)).rejects.toMatchObject({ code: 'provider.throttled', retry: { afterMs: 2_000, counted: false }, detail: { sent: false } });
    expect(called).toHaveLength(3);
  });

  it('stop for a minute in an account that was throttled, and go on in the others', async () => {
    const { get, pass, called } = world((url) => (url.includes('/accounts/1/') ? 429 : 200));
    await get('cw.example.com', 1);
    pass(55_000);
    await expect(get('cw.example.com', 1)).rejects.toMatchObject({ code: 'provider.throttled' });
    await get('cw.example.com', 2);
    pass(5_001);
    await get('cw.example.com', 1);
    expect(called).toHaveLength(3);
  });

  it('are not held back by files, whatever server a webhook says they are on', async () => {
    const { get, egress, called } = world((url) => (url.endsWith('.jpg') ? 429 : 200));
    for (let file = 0; file < 20; file++) await egress.request({ method: 'GET', url: 'https://cw.example.com/rails/a.jpg' });
    await get('cw.example.com', 1);
    expect(called).toHaveLength(21);
  });
});
