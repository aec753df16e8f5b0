import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runtimeUrl } from './runtime-url.ts';

describe('runtimeUrl', () => {
  it('keeps host, port, database and parameters, whatever the password', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (password) => {
        const url = new URL(runtimeUrl('postgresql://admin:old@db.example:6543/hub?sslmode=require', 'switchboard_state', password));
        expect([url.host, url.pathname, url.search, url.username, decodeURIComponent(url.password)]).toEqual(['db.example:6543', '/hub', '?sslmode=require', 'switchboard_state', password]);
      }),
    );
  });
});
