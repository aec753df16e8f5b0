import { describe, expect, it } from '@jest/globals';
import type { Egress } from '@switchboard/service-kit';
import { withinTime } from './within-time.ts';

function egress(answerAfterMs: number): { egress: Egress; given: (number | undefined)[] } {
  const given: (number | undefined)[] = [];
  return {
    given,
    egress: {
      assertAllowed: async () => undefined,
      isPlatformHost: () => false,
      async request({ timeoutMs }) {
        given.push(timeoutMs);
        await new Promise((resolve) => setTimeout(resolve, answerAfterMs));
        return { status: 200, headers: {}, body: Buffer.alloc(0) };
      },
    },
  };
}
const call = { method: 'GET', url: 'https://example.com' } as const;

describe('calls that share a time', () => {
  it('have what is left of it, and never more than they asked for', async () => {
    const { egress: real, given } = egress(30);
    const bounded = withinTime(real, 1_000);
    await bounded.request({ ...call, timeoutMs: 10_000 });
    await bounded.request(call);
    await bounded.request({ ...call, timeoutMs: 5 });
    const [first = 0, second = 0, third] = given;
    expect(first).toBeLessThanOrEqual(1_000);
    expect(second).toBeLessThan(first - 20);
    expect(third).toBe(5);
  });

  it('are not made when it is over', async () => {
    const { egress: real, given } = egress(20);
    const bounded = withinTime(real, 10);
    await bounded.request(call);
    await expect(bounded.request(call)).rejects.toMatchObject({ code: 'egress.failed', detail: { sent: false } });
    expect(given).toHaveLength(1);
  });
});
