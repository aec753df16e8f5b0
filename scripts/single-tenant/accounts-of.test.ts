import { describe, expect, it } from '@jest/globals';
import { findOldProvider, mergeAccounts, readFields } from './accounts-of.ts';

describe('old credentials', () => {
  it.each(['meta', 'WhatsApp', 'whatsapp_cloud'])('of the type %s are WhatsApp\'s', (type) => expect(findOldProvider(type)).toBe('whatsapp'));

  it('of a type that nobody knows are nobody\'s', () => expect(findOldProvider('stripe')).toBeUndefined());

  it('are read in every spelling, and fields without a meaning here are named without their values', () => {
    expect(readFields('whatsapp', { access_token: ' t ', phoneNumberId: 12, META_APP_SECRET: 's', webhook_verify_token: 'v', colour: 'red', waba_id: '' })).toEqual({
      fields: { accessToken: 't', phoneNumberId: '12', appSecret: 's', verifyToken: 'v' },
      unknown: ['colour'],
    });
  });
});

describe('what several places tell of accounts', () => {
  it('is one account a number, and what all numbers of an app share comes from the .env file', () => {
    const accounts = mergeAccounts(
      [
        { provider: 'whatsapp', fields: { phoneNumberId: '1', accessToken: 'a' } },
        { provider: 'whatsapp', fields: { phoneNumberId: '2', accessToken: 'b' } },
        { provider: 'whatsapp', fields: { phoneNumberId: '1', wabaId: '9' } },
      ],
      [{ provider: 'whatsapp', fields: { phoneNumberId: '1', accessToken: 'of the file', appSecret: 's' } }],
    );
    expect(accounts.map(({ fields }) => fields)).toEqual([
      { phoneNumberId: '1', accessToken: 'a', wabaId: '9', appSecret: 's' },
      // Not the file's token: that is another number's.
      { phoneNumberId: '2', accessToken: 'b', appSecret: 's' },
    ]);
  });

  it('is no account when it is a region alone', () => expect(mergeAccounts([], [{ provider: 'genesys', fields: { region: 'eu-central-1' } }])).toEqual([]));
});
