import { describe, expect, it } from '@jest/globals';
import { createInFlightLimit } from './in-flight-limit.ts';

describe('requests of a tenant at the same time', () => {
  it('are as many as allowed, whatever the other tenants do, and one more for each that ends', () => {
    const limit = createInFlightLimit(2);
    limit.enter('acme');
    limit.enter('acme');
    expect(() => limit.enter('acme')).toThrow(expect.objectContaining({ code: 'limit.rate_exceeded', status: 429 }));
    limit.enter('globex');
    limit.leave('acme');
    limit.enter('acme');
    expect(() => limit.enter('acme')).toThrow(expect.objectContaining({ code: 'limit.rate_exceeded' }));
    limit.leave('globex');
    limit.enter('globex');
  });
});
