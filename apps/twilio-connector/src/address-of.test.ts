import { describe, expect, it } from '@jest/globals';
import { addressOf } from './address-of.ts';

const sandbox = { apiBaseUrl: 'http://127.0.0.1:3020/twilio', messagingBaseUrl: 'http://127.0.0.1:3020/twilio', accountsBaseUrl: 'http://127.0.0.1:3020/twilio', contentBaseUrl: 'http://127.0.0.1:3020/twilio' };

describe('the address of a request', () => {
  it.each([
    ['https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json?a=1', {}, 'https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json?a=1'],
    ['https://api.dublin.ie1.twilio.com/2010-04-01', {}, 'https://api.dublin.ie1.twilio.com/2010-04-01'],
    ['https://content.twilio.com/v1/Content', sandbox, 'http://127.0.0.1:3020/twilio/v1/Content'],
    ['https://api.twilio.com/2010-04-01', { ...sandbox, apiBaseUrl: 'https://relay.example.test/' }, 'https://relay.example.test/2010-04-01'],
    // A host of Twilio's that no setting names: a relay stands for all of them.
    ['https://pricing.twilio.com/v1', { apiBaseUrl: 'https://relay.example.test' }, 'https://relay.example.test/v1'],
    // The next page, as a sandbox names it.
    ['http://127.0.0.1:3020/twilio/v1/Content?Page=1', sandbox, 'http://127.0.0.1:3020/twilio/v1/Content?Page=1'],
  ])('%s goes to Twilio, or to what the settings name in its place', (url, settings, expected) => {
    expect(addressOf(url, settings)).toBe(expected);
  });

  it.each([
    'https://api.twilio.com.example.test/1', 'http://api.twilio.com/1', 'https://evil.example.test/1', 'https://somebody@api.twilio.com/1', 'https://api.twilio.com:8443/1', 'https://eviltwilio.com/1',
    'http://127.0.0.1:3020/twilio/../secrets', 'http://127.0.0.1:3020/twilio%2f..', 'http://127.0.0.1:3020/twiliox/1', 'not a URL', '',
  ])('%s is nowhere that credentials go', (url) => {
    expect(addressOf(url, sandbox)).toBeUndefined();
  });
});
