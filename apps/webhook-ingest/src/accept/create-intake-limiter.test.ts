import { describe, expect, it } from '@jest/globals';
import { newId, type TenantId } from '@switchboard/contracts';
import * as fc from 'fast-check';
import { createIntakeLimiter } from './create-intake-limiter.ts';

const sender = (tenantId: string) => ({ tenantId: tenantId as TenantId, connectionId: newId('con') });

describe('the limit of requests a minute', () => {
  it('lets a minute\'s allowance through at once, then as much as it is in the long run, and says how long to wait', () => {
    let now = 1_000_000;
    const limiter = createIntakeLimiter({ perConnection: 60, perTenant: 1_000, now: () => now });
    const acme = sender('acme');
    const taken = () => limiter.take([acme]).size === 0;
    expect(Array.from({ length: 61 }, taken).filter(Boolean)).toHaveLength(60);
    expect(limiter.take([acme]).get(acme.connectionId)).toBe(1_000);
    now += 999;
    expect(taken()).toBe(false);
    now += 1;
    expect([taken(), taken()]).toEqual([true, false]);
    let count = 0;
    for (let ms = 0; ms < 600_000; ms += 100) {
      now += 100;
      if (taken()) count++;
    }
    expect(count).toBe(600);
  });

  it('is each connection\'s own, and one for all of a tenant', () => {
    const limiter = createIntakeLimiter({ perConnection: 2, perTenant: 3, now: () => 0 });
    const [one, two, other] = [sender('acme'), sender('acme'), sender('globex')];
    expect([limiter.take([one]).size, limiter.take([one]).size, limiter.take([one]).size]).toEqual([0, 0, 1]);
    expect([limiter.take([two]).size, limiter.take([two]).size]).toEqual([0, 1]);
    expect([...limiter.take([one, two, other]).keys()]).toEqual([one.connectionId, two.connectionId]);
  });

  it('is one for all connections that share an account, as far as they are one tenant\'s', () => {
    const limiter = createIntakeLimiter({ perConnection: 2, perTenant: 10, now: () => 0 });
    const [one, two, other] = [{ ...sender('acme'), account: 'twilio|accountSid|AC1' }, { ...sender('acme'), account: 'twilio|accountSid|AC1' }, { ...sender('globex'), account: 'twilio|accountSid|AC1' }];
    expect([limiter.take([one]).size, limiter.take([two]).size]).toEqual([0, 0]);
    expect([...limiter.take([one, two, other, sender('acme')]).keys()]).toEqual([one.connectionId, two.connectionId]);
  });

  it('never lets more through than an allowance and what time has given since', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.array(fc.nat(5_000), { maxLength: 200 }), (perConnection, pauses) => {
        let now = 0;
        let count = 0;
        const limiter = createIntakeLimiter({ perConnection, perTenant: 1_000_000, now: () => now });
        const acme = sender('acme');
        for (const pause of pauses) {
          now += pause;
          if (limiter.take([acme]).size === 0) count++;
          expect(count).toBeLessThanOrEqual(perConnection + (now * perConnection) / 60_000 + 1e-6);
        }
      }),
    );
  });
});
