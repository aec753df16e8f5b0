import { describe, expect, it } from '@jest/globals';
import { findProvider, providerOfCredentialType, providers } from './find-provider.ts';
import { findGenesysDomain } from './genesys.ts';

describe('the registry', () => {
  it.each(Object.values(providers))('names only fields of the form ($id)', (entry) => {
    const fields = Object.keys(entry.credentials.shape);
    expect(fields).toEqual(expect.arrayContaining([...entry.secretFields, ...entry.routingFields, ...entry.sharedRoutingFields, entry.webhook.secretField]));
    expect(entry.secretFields).toContain(entry.webhook.secretField);
  });

  it.each(Object.entries(providers))('is asked by the provider\'s own id (%s)', (id, entry) => {
    expect(findProvider(id)).toBe(entry);
    expect(providerOfCredentialType(entry.credentialType)).toBe(entry);
  });

  it('does not know what is not there', () => {
    expect(findProvider('toString')).toBeUndefined();
    expect(providerOfCredentialType('__proto__')).toBeUndefined();
  });
});

describe('credentials of type meta', () => {
  const form = { appSecret: 'a', verifyToken: 'b', accessToken: 'c', phoneNumberId: '700100200300401' };
  it('take the four fields and fill in the rest', () => expect(providers.whatsapp.credentials.parse(form)).toMatchObject({ ...form, apiVersion: 'v25.0', sandbox: false }));
  it.each([{ phoneNumberId: '+1 500 555 0100' }, { appSecret: '' }, { apiVersion: 'v25.0/../..' }, { apiBaseUrl: 'file:///etc/passwd' }, { extra: 1 }])('refuse %j', (wrong) => {
    expect(providers.whatsapp.credentials.safeParse({ ...form, ...wrong }).success).toBe(false);
  });
});

describe('credentials of type genesys', () => {
  const form = { clientId: 'a', clientSecret: 'b', region: 'eu-central-1' };
  it('keep the region as its domain', () => expect(providers.genesys.credentials.parse(form)).toMatchObject({ region: 'mypurecloud.de' }));
  it.each(['mypurecloud.de', 'https://api.mypurecloud.de/', 'EU-central-1'])('know %s', (region) => expect(findGenesysDomain(region)).toBe('mypurecloud.de'));
  it.each(['', 'evil.example', 'mypurecloud.de.evil.example', 'mypurecloud.de@evil.example', 'constructor', 'euc1.pure.cloud'])('refuse the region %j, which would get the secret', (region) => {
    expect(providers.genesys.credentials.safeParse({ ...form, region }).success).toBe(false);
    expect(providers.genesys.hosts({ region })).toEqual({});
  });
  it('take the rate that Genesys grants', () => expect(providers.genesys.credentials.parse({ ...form, callsPerMinute: 3_000 })).toMatchObject({ callsPerMinute: 3_000 }));
  it.each([0, -1, 1.5, '300', 1_000_000])('refuse the rate %j', (callsPerMinute) => expect(providers.genesys.credentials.safeParse({ ...form, callsPerMinute }).success).toBe(false));
  it('refuse a webhook secret that Genesys would refuse', () => expect(providers.genesys.credentials.safeParse({ ...form, webhookSecret: 'x'.repeat(15) }).success).toBe(false));
  it('lead to the hosts of the region', () => expect(providers.genesys.hosts({ region: 'mypurecloud.de' })).toEqual({ api: 'https://api.mypurecloud.de', login: 'https://login.mypurecloud.de' }));
});
