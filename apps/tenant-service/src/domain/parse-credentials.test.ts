import { describe, expect, it } from '@jest/globals';
import { providers } from '@switchboard/providers';
import { hostsOf, inSandbox } from './hosts-of.ts';
import { parseCredentials } from './parse-credentials.ts';

const genesysForm = { clientId: 'client', clientSecret: 'very secret', region: 'eu-central-1', integrationId: 'int-1' };

describe('a credentials form', () => {
  it('is kept in three parts, secrets apart from what may be shown', () => {
    expect(parseCredentials(providers.genesys, genesysForm)).toEqual({
      account: { routingIdentifiers: { integrationId: 'int-1' }, settings: { clientId: 'client', region: 'mypurecloud.de' }, credentials: { clientSecret: 'very secret' } },
      sandbox: false,
    });
  });

  it('keeps identifiers that connections may share with the routing identifiers', () => {
    const { account } = parseCredentials(providers.whatsapp, { appSecret: 'a', verifyToken: 'b', accessToken: 'c', phoneNumberId: '1', wabaId: '2' });
    expect(account.routingIdentifiers).toEqual({ phoneNumberId: '1', wabaId: '2' });
  });

  it('is kept as text, lists and objects too, and read from that text again', () => {
    const form = { accountSid: `AC${'a'.repeat(32)}`, authToken: 'secret', phoneNumber: '+15005550006', channels: ['sms', 'voice'], greetings: { 'en-US': { text: 'Hello, "Bo"; {x}' }, 'pt-BR': { url: 'https://example.net/a.mp3' } }, transcribe: false, voicemailMaxSeconds: 30 };
    const { settings, credentials, routingIdentifiers } = parseCredentials(providers.twilio, form).account;
    expect(settings).toMatchObject({ channels: 'sms,voice', greetings: JSON.stringify(form.greetings), transcribe: 'false', voicemailMaxSeconds: '30' });
    expect(parseCredentials(providers.twilio, { ...settings, ...credentials, ...routingIdentifiers }).account.settings).toEqual(settings);
  });

  it('is refused with the fields that are wrong and none of their values', () => {
    const attempt = () => parseCredentials(providers.genesys, { ...genesysForm, clientSecret: '', region: 'http://169.254.169.254/secret-path', surprise: 'secret-value' });
    expect(attempt).toThrow(
      expect.objectContaining({
        code: 'request.invalid',
        issues: expect.arrayContaining([
          { path: 'body.credentials.clientSecret', message: expect.any(String) },
          { path: 'body.credentials.region', message: expect.not.stringContaining('secret-path') },
          { path: 'body.credentials.surprise', message: 'is not a known field' },
        ]),
      }),
    );
  });
});

describe('a form whose fields do not go together', () => {
  it('is refused with those that are missing or too many, the reason, and none of their values', () => {
    const attempt = () => parseCredentials(providers.chatwoot, { mode: 'shared', apiToken: 'secret-value' }, 'body.settings');
    expect(attempt).toThrow(expect.objectContaining({ code: 'request.invalid', issues: [{ path: 'body.settings.apiToken', message: expect.not.stringContaining('secret-value') }] }));
  });
});

describe('the hosts of an account', () => {
  const { account } = parseCredentials(providers.genesys, genesysForm);

  it('are the provider\'s own in the region it names', () => {
    expect(hostsOf(providers.genesys, account)).toEqual({ api: 'https://api.mypurecloud.de', login: 'https://login.mypurecloud.de' });
  });

  it('are the ones in its settings, each for itself', () => {
    expect(hostsOf(providers.genesys, { ...account, settings: { ...account.settings, apiBaseUrl: 'https://proxy.example.net' } })).toEqual({ api: 'https://proxy.example.net', login: 'https://login.mypurecloud.de' });
  });

  it('are all at the sandbox when it stands in', () => {
    expect(hostsOf(providers.genesys, inSandbox(providers.genesys, account, 'http://127.0.0.1:3020'))).toEqual({ api: 'http://127.0.0.1:3020/genesys', login: 'http://127.0.0.1:3020/genesys' });
  });
});
