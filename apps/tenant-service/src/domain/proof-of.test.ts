import { describe, expect, it } from '@jest/globals';
import { providers } from '@switchboard/providers';
import type { Account } from '../providers/connect-strategy.ts';
import { inSandbox } from './hosts-of.ts';
import { isWeaker, proofOf } from './proof-of.ts';

const account = (settings: Record<string, string>): Account => ({ routingIdentifiers: {}, settings: { region: 'mypurecloud.de', ...settings }, credentials: {} });
const proves = (settings: Record<string, string>) => proofOf(providers.genesys, account(settings), (url) => url.startsWith('https://allowed.example'));

describe('a check of an account', () => {
  it("proves as much as the weakest of the hosts that took part in it", () => {
    expect(proves({})).toBe('provider');
    expect(proves({ apiBaseUrl: 'https://api.mypurecloud.de' })).toBe('provider');
    expect(proves({ apiBaseUrl: 'https://allowed.example' })).toBe('platform');
    expect(proves({ apiBaseUrl: 'https://allowed.example', loginBaseUrl: 'https://mine.example' })).toBe('tenant');
    expect(proves({ loginBaseUrl: 'https://mine.example' })).toBe('tenant');
  });

  it('is not the provider\'s because an address says so, where accounts are not that server\'s', () => {
    const mine = (routingIdentifiers: Record<string, string>, settings: Record<string, string> = {}): Account => ({ routingIdentifiers, settings, credentials: {} });
    const sid = `AC${'a'.repeat(32)}`;
    expect(proofOf(providers.twilio, mine({ accountSid: sid, sender: `${sid}/+15005550006` }), () => false)).toBe('provider');
    expect(proofOf(providers.twilio, mine({ accountSid: sid, sender: `${sid}/+15005550006` }, { apiBaseUrl: 'https://mine.example' }), () => false)).toBe('tenant');
    expect(proofOf(providers.botpress, mine({ bot: 'bot.example/support' }, { kind: 'v12', apiBaseUrl: 'https://bot.example' }), () => false)).toBe('provider');
  });

  it('is not more at the sandbox than what the platform chose', () => {
    expect(proofOf(providers.genesys, inSandbox(providers.genesys, account({}), 'https://sandbox.example'), () => false)).toBe('platform');
  });

  it('by the provider outweighs one by the platform, and that one by the tenant', () => {
    expect([isWeaker('tenant', 'platform'), isWeaker('platform', 'provider'), isWeaker('platform', 'platform'), isWeaker('provider', 'tenant')]).toEqual([true, true, false, false]);
  });
});
