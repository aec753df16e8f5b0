import { describe, expect, it } from '@jest/globals';
import type { ProviderEntry } from '../provider.ts';
import { findProvider, providerOfCredentialType, providers } from './find-provider.ts';
import { findGenesysDomain } from './genesys.ts';
import { serverOf } from './server-of.ts';

describe('the registry', () => {
  it.each(Object.values(providers))('names only fields of the form ($id)', (entry) => {
    const fields = Object.keys(entry.credentials.shape);
    expect(fields).toEqual(expect.arrayContaining([...entry.secretFields, entry.webhook.secretField]));
    expect(entry.secretFields).toContain(entry.webhook.secretField);
    // Identifiers that are learned are nobody's to type in: no field of the form is a secret and an identifier, and none has two meanings.
    const identifiers: readonly string[] = [...entry.routingFields, ...entry.sharedRoutingFields];
    expect(new Set(identifiers).size).toBe(identifiers.length);
    expect(entry.secretFields.filter((field) => identifiers.includes(field))).toEqual([]);
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

/** The form's faults, as tenant-service collects them: those of single fields, else those across them. */
function faultsIn(entry: ProviderEntry, form: object): string[] {
  const parsed = entry.credentials.safeParse(form);
  if (!parsed.success) return parsed.error.issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : issue.path.map(String))).filter((path, index, all) => all.indexOf(path) === index);
  return (entry.faultsOf?.(parsed.data) ?? []).map(({ path }) => path);
}

describe('credentials of type chatwoot', () => {
  const form = { apiUrl: 'https://desk.example.com/chat/', accountId: '77', apiToken: 'token' };
  it('of an account of the tenant\'s own take server, account and token', () => {
    expect(providers.chatwoot.credentials.parse(form)).toMatchObject({ mode: 'dedicated', apiUrl: 'https://desk.example.com/chat', inboxType: 'api', sandbox: false });
    expect(faultsIn(providers.chatwoot, form)).toEqual([]);
    expect(faultsIn(providers.chatwoot, {})).toEqual(['accountId', 'apiToken', 'apiUrl']);
    expect(faultsIn(providers.chatwoot, { accountId: '1', apiToken: 'token', sandbox: true })).toEqual([]);
  });
  it('of the platform\'s account take none of these, so that nobody names an inbox there', () => {
    expect(faultsIn(providers.chatwoot, { mode: 'shared', platformConnectionId: 'pcn_1', inboxName: 'Acme' })).toEqual([]);
    expect(faultsIn(providers.chatwoot, { ...form, mode: 'shared', inboxId: '41', botToken: 'b', webhookSecret: 'x'.repeat(16), callsPerMinute: 5 })).toEqual(['apiUrl', 'accountId', 'apiToken', 'botToken', 'inboxId', 'webhookSecret', 'callsPerMinute']);
    expect(faultsIn(providers.chatwoot, { ...form, platformConnectionId: 'pcn_1' })).toEqual(['platformConnectionId']);
  });
  it('say where a website inbox that is to be made stands', () => {
    expect(faultsIn(providers.chatwoot, { ...form, inboxType: 'website' })).toEqual(['websiteUrl']);
    expect(faultsIn(providers.chatwoot, { ...form, inboxType: 'website', inboxId: '41' })).toEqual([]);
    expect(faultsIn(providers.chatwoot, { mode: 'shared', inboxType: 'website', websiteUrl: 'https://shop.example' })).toEqual([]);
  });
  it.each([
    { accountId: '77/..' }, { inboxId: 'x' }, { apiUrl: 'ftp://desk.example.com' }, { apiUrl: 'https://user:pass@desk.example.com' }, { apiUrl: 'https://desk.example.com/?a=1' }, { apiUrl: 'https://desk.example.com#x' },
    { accountId: '07' }, { inboxId: '0' }, { webhookSecret: 'short' }, { mode: 'both' }, { websiteUrl: 'javascript:alert(1)' },
  ])('refuse %j', (wrong) => expect(faultsIn(providers.chatwoot, { ...form, ...wrong })).toEqual(Object.keys(wrong)));
  it('lead to the tenant\'s server, and nowhere while the platform\'s account is not known', () => {
    expect(providers.chatwoot.hosts({ mode: 'dedicated', apiUrl: 'https://desk.example.com' })).toEqual({ api: 'https://desk.example.com' });
    expect(providers.chatwoot.hosts({ mode: 'shared' })).toEqual({});
    expect(providers.chatwoot.hosts({ mode: 'shared', apiUrl: 'https://cw.example.com' })).toEqual({ api: 'https://cw.example.com' });
  });
  it.each([['https://App.Chatwoot.com', 'app.chatwoot.com'], ['https://a.example:443/', 'a.example'], ['https://a.example./', 'a.example'], ['https://a.example./b/./c/../', 'a.example/b'], ['https://[::1]:8443', '[::1]:8443'], ['http://127.0.0.1:3020/Chatwoot/', '127.0.0.1:3020/chatwoot']])('name the server of %s', (url, server) => expect(serverOf(url)).toBe(server));
});

describe('credentials of type botpress', () => {
  const cloud = { kind: 'cloud', webhookId: 'b0e6b73b-0000', encryptionKey: 'key' };
  const v12 = { kind: 'v12', apiBaseUrl: 'https://bot.example.com/', botId: 'acme-support', email: 'hub@acme.example', password: 'secret' };
  it('say which of the two products it is', () => {
    expect(faultsIn(providers.botpress, { webhookId: 'x' })).toEqual(['kind']);
    expect(faultsIn(providers.botpress, cloud)).toEqual([]);
    expect(faultsIn(providers.botpress, { kind: 'cloud' })).toEqual(['webhookId', 'encryptionKey']);
    expect(faultsIn(providers.botpress, { ...cloud, email: 'a', password: 'b', maxTextLength: 360 })).toEqual(['email', 'password', 'maxTextLength']);
    expect(faultsIn(providers.botpress, v12)).toEqual([]);
    expect(faultsIn(providers.botpress, { kind: 'v12' })).toEqual(['botId', 'email', 'password', 'apiBaseUrl']);
    expect(faultsIn(providers.botpress, { ...v12, encryptionKey: 'key' })).toEqual(['encryptionKey']);
    expect(faultsIn(providers.botpress, { ...v12, apiBaseUrl: undefined, sandbox: true })).toEqual([]);
  });
  it('of the platform\'s bot take nothing of another', () => {
    expect(faultsIn(providers.botpress, { mode: 'shared', replyTimeoutSeconds: 5, platformConnectionId: 'pcn_1' })).toEqual([]);
    expect(faultsIn(providers.botpress, { ...cloud, mode: 'shared' })).toEqual(['kind', 'webhookId', 'encryptionKey']);
    expect(faultsIn(providers.botpress, { ...cloud, platformConnectionId: 'pcn_1' })).toEqual(['platformConnectionId']);
  });
  it.each([{ webhookId: '../x' }, { botId: 'a/b' }, { replyTimeoutSeconds: 0 }, { webhookSecret: 'short' }, { kind: 'v11' }])('refuse %j', (wrong) => expect(faultsIn(providers.botpress, { ...cloud, ...wrong })).toEqual(Object.keys(wrong)));
  it('lead to Botpress Cloud, or to the server that the tenant names', () => {
    expect(providers.botpress.hosts({ kind: 'cloud' })).toEqual({ api: 'https://chat.botpress.cloud', files: 'https://api.botpress.cloud' });
    expect(providers.botpress.hosts({ kind: 'v12', apiBaseUrl: 'https://bot.example.com' })).toEqual({ api: 'https://bot.example.com' });
    expect(providers.botpress.hosts({ kind: 'v12' })['api']).toMatch(/\.invalid$/);
    expect(providers.botpress.hosts({ mode: 'shared' })).toEqual({});
  });
});
