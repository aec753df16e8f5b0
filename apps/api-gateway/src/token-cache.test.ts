import { describe, expect, it } from '@jest/globals';
import { createTokenCache } from './token-cache.ts';

describe('tokens for services', () => {
  it('are signed once for a holder and a service, and never another holder’s or for another service', () => {
    const signed: string[] = [];
    const tokenFor = createTokenCache((service, { subject }) => {
      signed.push(`${subject} at ${service}`);
      return `token ${signed.length} of ${subject} for ${service}`;
    });
    const claimsOf = ({ subject }: { readonly subject: string }) => ({ subject });
    const [one, other] = [{ subject: 'key_1' }, { subject: 'key_2' }];
    const services = ['state-manager', 'auth-service', 'tenant-service'] as const;
    const ask = () => [one, other].flatMap((holder) => services.map((service) => tokenFor(holder, service, claimsOf)));
    const tokens = ask();
    expect(new Set(tokens).size).toBe(6);
    expect(tokens.map((token) => token.replace(/^token \d of /, ''))).toEqual([one, other].flatMap(({ subject }) => services.map((service) => `${subject} for ${service}`)));
    expect(ask()).toEqual(tokens);
    expect(signed).toHaveLength(6);
    // An equal holder is another one: it may be remembered by another answer.
    tokenFor({ ...one }, 'state-manager', claimsOf);
    expect(signed).toHaveLength(7);
  });

  it('are signed anew 20 seconds before they end', () => {
    let [nowMs, signed] = [5, 0];
    const tokenFor = createTokenCache(() => `token ${++signed}`, () => nowMs);
    const holder = {};
    const ask = () => tokenFor(holder, 'state-manager', () => ({}));
    expect(ask()).toBe('token 1');
    nowMs += 39_999;
    expect(ask()).toBe('token 1');
    nowMs += 1;
    expect([ask(), ask()]).toEqual(['token 2', 'token 2']);
  });
});
