import { describe, expect, it } from '@jest/globals';
import { tenantIdSchema } from '@switchboard/contracts';
import { createInFlightLimit } from './in-flight-limit.ts';

const acme = tenantIdSchema.parse('acme');
const globex = tenantIdSchema.parse('globex');

describe('requests of a tenant at the same time', () => {
  it('are as many as allowed, whatever the other tenants do, and one more for each that ends', async () => {
    const limit = createInFlightLimit(2);
    const ends: (() => void)[] = [];
    const start = (tenantId: typeof acme) => limit.run(tenantId, () => new Promise<void>((resolve) => ends.push(resolve)));
    const first = [start(acme), start(acme)];
    await expect(start(acme)).rejects.toMatchObject({ code: 'limit.rate_exceeded', status: 429 });
    const others = [start(globex)];
    ends.shift()?.();
    await first[0];
    const next = start(acme);
    await expect(start(acme)).rejects.toMatchObject({ code: 'limit.rate_exceeded' });
    for (const end of ends) end();
    await Promise.all([...first, ...others, next]);
  });

  it('are given back when they fail', async () => {
    const limit = createInFlightLimit(1);
    for (let i = 0; i < 3; i++) await expect(limit.run(acme, () => Promise.reject(new Error('broke off')))).rejects.toThrow('broke off');
    await expect(limit.run(acme, async () => 'fine')).resolves.toBe('fine');
  });
});
