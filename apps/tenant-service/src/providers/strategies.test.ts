import { describe, expect, it } from '@jest/globals';
import { hubError, newId } from '@switchboard/contracts';
import type { EgressReply, EgressRequest } from '@switchboard/service-kit';
import type { Account, ConnectContext, ConnectOutcome, ConnectStrategy } from './connect-strategy.ts';
import { chatwoot } from './chatwoot.ts';
import { isSince } from './chatwoot-client.ts';
import { genesys } from './genesys.ts';
import { whatsapp } from './whatsapp.ts';

const meta: Account = { routingIdentifiers: { phoneNumberId: '700', wabaId: '900' }, settings: { apiVersion: 'v25.0' }, credentials: { accessToken: 'token', appSecret: 'a', verifyToken: 'b' } };
const cloud: Account = {
  routingIdentifiers: { integrationId: 'int-1' },
  settings: { clientId: 'client', region: 'mypurecloud.de', integrationOrigin: 'given', webhookSecretOrigin: 'given' },
  credentials: { clientSecret: 'secret', webhookSecret: 'w'.repeat(20) },
};

type Answers = (request: EgressRequest) => { status: number; json?: unknown } | Error;

async function verify(strategy: ConnectStrategy, account: Account, answer: Answers, more: Partial<ConnectContext> = {}): Promise<{ outcome: ConnectOutcome; requests: EgressRequest[] }> {
  const requests: EgressRequest[] = [];
  const outcome = await strategy.verify(account, {
    connectionId: newId('con'),
    role: 'channel',
    egress: {
      assertAllowed: async () => undefined,
      isPlatformHost: () => false,
      request: async (request): Promise<EgressReply> => {
        requests.push(request);
        const result = answer(request);
        if (result instanceof Error) throw result;
        return { status: result.status, headers: {}, body: Buffer.from(result.json === undefined ? '<html>' : JSON.stringify(result.json)) };
      },
    },
    hosts: { api: 'https://api.example.net', login: 'https://login.example.net' },
    webhookUrl: 'https://hub.example.net/webhooks/genesys/con_1',
    isInUseElsewhere: async () => false, mayHaveMade: false,
    waitMs: 0,
    keep: async () => true,
    ...more,
  });
  return { outcome, requests };
}

describe('checking a WhatsApp number', () => {
  const graphError = (code: number, status = 400): Answers => () => ({ status, json: { error: { message: 'what Meta says', type: 'OAuthException', code } } });

  it.each([
    ['a token that expired', graphError(190, 401), /access token/, false],
    ['a permission that is missing', graphError(200, 403), /may not use/, true],
    ['a number it does not know', graphError(100), /does not know/, true],
    ['throttling by code', graphError(80_007), /throttling/, true],
    ['trouble of its own by code', graphError(2, 500), /problem of its own/, true],
    ['throttling by status', () => ({ status: 429 }), /throttling/, true],
    ['an answer that is no JSON', () => ({ status: 200 }), /not as a phone number/, false],
    ['no answer', () => hubError('egress.failed'), /did not answer at api.example.net/, true],
    ['an address that is refused', () => hubError('egress.refused'), /not allowed/, false],
  ] satisfies [string, Answers, RegExp, boolean][])('says what to do after %s', async (_, answer, reason, retry) => {
    expect((await verify(whatsapp, meta, answer)).outcome).toMatchObject({ kind: 'unverified', code: expect.stringMatching(/^(provider|egress)\./), reason: expect.stringMatching(reason), retry });
  });

  it('asks for the number with the token, then subscribes the app to the business account', async () => {
    const { outcome, requests } = await verify(whatsapp, meta, () => ({ status: 200, json: { id: '700', success: true } }));
    expect(outcome.kind).toBe('verified');
    expect(requests.map(({ method, url, headers }) => [method, url, headers?.['authorization']])).toEqual([
      ['GET', 'https://api.example.net/v25.0/700?fields=id,display_phone_number,verified_name', 'Bearer token'],
      ['POST', 'https://api.example.net/v25.0/900/subscribed_apps', 'Bearer token'],
    ]);
  });

  it('does not take another object for the number', async () => {
    expect((await verify(whatsapp, meta, () => ({ status: 200, json: { id: '701' } }))).outcome).toMatchObject({ kind: 'unverified' });
  });
});

describe('checking a Genesys integration', () => {
  const withToken = (answer: Answers): Answers => (request) => (request.url.endsWith('/oauth/token') ? { status: 200, json: { access_token: 'genesys-token' } } : answer(request));

  it.each([
    ['a client secret that is refused', () => ({ status: 401, json: { error: 'invalid_client' } }), /client id or client secret \(region mypurecloud.de\): invalid_client/, false],
    ['login that is down', () => ({ status: 503 }), /problem of its own/, true],
    ['a permission that is missing', withToken(() => ({ status: 403, json: { code: 'missing.permissions' } })), /messaging:integration:view/, true],
    ['an integration that is not there', withToken(() => ({ status: 404, json: { code: 'not.found' } })), /no Open Messaging integration int-1/, true],
    ['a token that is refused at once', withToken(() => ({ status: 401, json: { code: 'bad.credentials' } })), /then refused it/, true],
    ['a request that it does not take', withToken(() => ({ status: 400, json: { code: 'bad.request' } })), /status 400/, false],
    ['creation that failed', withToken(() => ({ status: 200, json: { id: 'int-1', createStatus: 'Error', createError: { code: 'limit' } } })), /could not create.*limit/, false],
    ['creation that goes on', withToken(() => ({ status: 200, json: { id: 'int-1', createStatus: 'Initiated' } })), /still creating/, true],
  ] satisfies [string, Answers, RegExp, boolean][])('says what to do after %s', async (_, answer, reason, retry) => {
    expect((await verify(genesys, cloud, answer)).outcome).toEqual(expect.objectContaining({ kind: 'unverified', reason: expect.stringMatching(reason), retry }));
  });

  it('makes a new integration in the place of one of ours that was deleted at Genesys', async () => {
    const ours = { ...cloud, settings: { ...cloud.settings, integrationOrigin: 'created', webhookSecretOrigin: 'generated' } };
    const kept: unknown[] = [];
    const answer = withToken(({ method }) => (method === 'POST' ? { status: 200, json: { id: 'int-2', createStatus: 'Completed' } } : { status: 404, json: {} }));
    const { outcome } = await verify(genesys, ours, answer, { keep: async (learned) => kept.push(learned) > 0 });
    expect(outcome.kind).toBe('verified');
    expect(kept).toEqual([{ routingIdentifiers: { integrationId: 'int-2' } }]);
  });
});

describe('completing a Genesys account', () => {
  const posted: Account = { routingIdentifiers: {}, settings: { clientId: 'client', region: 'mypurecloud.de' }, credentials: { clientSecret: 'secret' } };
  const generate = () => 'generated-secret';

  it('generates the webhook secret the tenant did not give, and remembers who made what', () => {
    expect(genesys.complete(posted, undefined, generate)).toMatchObject({ settings: { integrationOrigin: 'created', webhookSecretOrigin: 'generated' }, credentials: { webhookSecret: 'generated-secret' } });
    expect(genesys.complete({ ...posted, routingIdentifiers: { integrationId: 'x' } }, undefined, generate).settings).toMatchObject({ integrationOrigin: 'given' });
  });

  it('keeps the integration it has when the tenant names none', () => {
    const previous = { ...posted, routingIdentifiers: { integrationId: 'int-9' }, settings: { ...posted.settings, integrationOrigin: 'created' } };
    expect(genesys.complete(posted, previous, generate)).toMatchObject({ routingIdentifiers: { integrationId: 'int-9' }, settings: { integrationOrigin: 'created' } });
    expect(genesys.isSameAccount(posted, previous)).toBe(true);
    expect(genesys.isSameAccount({ ...posted, settings: { ...posted.settings, region: 'mypurecloud.ie' } }, previous)).toBe(false);
  });

  it('logs in where the API is, when that is neither Genesys nor said', () => {
    const at = (apiBaseUrl: string) => genesys.complete({ ...posted, settings: { ...posted.settings, apiBaseUrl } }, undefined, generate).settings['loginBaseUrl'];
    expect(at('https://proxy.example.net')).toBe('https://proxy.example.net');
    expect(at('https://api.mypurecloud.de')).toBeUndefined();
  });
});

describe('checking a Chatwoot account', () => {
  const account: Account = { routingIdentifiers: {}, settings: { mode: 'dedicated', accountId: '1', inboxType: 'api', webhookSecretOrigin: 'generated' }, credentials: { apiToken: 'a-token-of-chatwoot', webhookSecret: 'w'.repeat(43) } };
  const version = { status: 200, json: { version: '4.15.1' } };
  const inboxes = (status: number, json?: unknown): Answers => ({ url }) => (url.endsWith('/api') ? version : { status, json });

  it.each([
    ['a server that is no Chatwoot', () => ({ status: 404, json: {} }), /is no Chatwoot/, false],
    ['a wrong token', inboxes(401, { error: 'Invalid Access Token' }), /refuses the access token/, false],
    ['an agent\'s token', inboxes(401, { error: 'You are not authorized to do this action' }), /token of an administrator of account 1/, false],
    ['a plan without the API', inboxes(403, { error: 'API access is not enabled for this account' }), /API access is not enabled.*paid plans/, true],
    ['an account it does not know', inboxes(404, { error: 'Resource could not be found' }), /no account 1/, false],
    ['throttling, which is no JSON', inboxes(429), /throttling/, true],
    ['trouble of its own', inboxes(500, {}), /problem of its own/, true],
    ['no answer', () => hubError('egress.failed'), /did not answer at api.example.net/, true],
  ] satisfies [string, Answers, RegExp, boolean][])('says what to do after %s', async (_, answer, reason, retry) => {
    expect((await verify(chatwoot, account, answer)).outcome).toMatchObject({ kind: 'unverified', reason: expect.stringMatching(reason), retry });
  });

  it('shows a server its credentials only after that has said it is a Chatwoot', async () => {
    const { requests } = await verify(chatwoot, account, () => ({ status: 200, json: {} }));
    expect(requests.map(({ url }) => url)).toEqual(['https://api.example.net/api']);
    expect(JSON.stringify(requests)).not.toContain('a-token-of-chatwoot');
  });

  it('refuses a signing server that does not say with which secret, unless the tenant does', async () => {
    const answers: Answers = ({ url, method }) =>
      url.endsWith('/api') ? version : { status: 200, json: method === 'GET' ? { payload: [] } : { id: 7, name: 'Switchboard', channel_type: 'Channel::Api', webhook_url: 'https://hub.example.net/webhooks/genesys/con_1' } };
    expect((await verify(chatwoot, account, answers, { role: 'desk' })).outcome).toMatchObject({ kind: 'unverified', reason: expect.stringMatching(/or give webhookSecret/) });
    expect((await verify(chatwoot, { ...account, settings: { ...account.settings, webhookSecretOrigin: 'given' } }, answers, { role: 'desk' })).outcome).toMatchObject({ kind: 'verified' });
  });

  it('compares versions by their numbers', () => {
    expect(['4.13.0', '4.9.9', '4.12.10', '5.0', '4.13.0-rc1'].map((have) => isSince(have, '4.13.0'))).toEqual([true, false, false, true, true]);
  });
});
