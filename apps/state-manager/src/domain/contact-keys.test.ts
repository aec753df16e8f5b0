import { describe, expect, it } from '@jest/globals';
import { contactKeys, stableAddress } from './contact-keys.ts';

describe('contactKeys', () => {
  it('names one contact by phone, WhatsApp id and business-scoped user ids', () => {
    const keys = contactKeys('whatsapp', { address: '5511987654321', aliases: { waId: '551187654321', userId: 'BR.9Kx', parentUserId: 'BR.ENT.7' } }).map(({ key }) => key);
    expect(keys).toEqual(['551187654321', 'BR.9Kx', 'BR.ENT.7']);
  });

  it('does not identify a contact by a user name, which may pass to somebody else', () => {
    expect(contactKeys('whatsapp', { address: 'US.1', aliases: { username: 'ada' } }).map(({ key }) => key)).toEqual(['US.1']);
  });

  it('takes the names of providers without phone numbers as they are', () => {
    expect(contactKeys('chatwoot', { address: '0012345', aliases: {} })).toEqual([{ key: '0012345', kind: 'address', value: '0012345' }]);
  });
});

describe('stableAddress', () => {
  it('is the same however the number is written, and keeps the digits the provider uses', () => {
    expect(stableAddress('whatsapp', '+55 11 98765-4321')).toBe('5511987654321');
    expect(stableAddress('whatsapp', '5511987654321')).toBe('5511987654321');
    expect(stableAddress('whatsapp', 'US.13491208655302741918')).toBe('US.13491208655302741918');
  });
});
