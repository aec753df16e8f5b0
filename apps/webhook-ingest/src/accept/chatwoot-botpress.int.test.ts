import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newId } from '@switchboard/contracts';
import { providers, type ProviderEntry, type WebhookAuth } from '@switchboard/providers';
import { signWebhook } from '@switchboard/providers/webhook-auth';
import { testTenants } from '@switchboard/testing';
import { botpressConnection, botpressMessage, chatwootMessage, ownChatwootConnection, sharedChatwootConnection, startIngest, type TestIngest } from '../../test/start-ingest.ts';

const [acme, globex] = testTenants;
const platformSecret = 'platform secret of account 77';
// Two self-hosted servers that both have an account 1 with an inbox 1, and an account of the platform with the same numbers and more.
const acmeOwn = ownChatwootConnection(acme, { server: 'desk.acme.example', account: 1, inbox: 1, secret: 'chatwoot secret of acme' });
const globexOwn = ownChatwootConnection(globex, { server: 'desk.globex.example', account: 1, inbox: 1, secret: 'chatwoot secret of globex' });
const acmeShared = sharedChatwootConnection(acme, { server: 'cw.example.com', account: 77, inbox: 41, secret: platformSecret });
const globexShared = sharedChatwootConnection(globex, { server: 'cw.example.com', account: 77, inbox: 42, secret: platformSecret });
const globexSharedTwin = sharedChatwootConnection(globex, { server: 'cw2.example.com', account: 1, inbox: 1, secret: 'platform secret of account 1' });
const acmeBot = botpressConnection(acme, 'botpress secret of acme');
const globexBot = botpressConnection(globex, 'botpress secret of globex');
const [acmeSharedBot, globexSharedBot] = [botpressConnection(acme, 'botpress secret of the platform'), botpressConnection(globex, 'botpress secret of the platform')];
const all = [acmeOwn, globexOwn, acmeShared, globexShared, globexSharedTwin, acmeBot, globexBot, acmeSharedBot, globexSharedBot];

let ingest: TestIngest;

beforeAll(async () => {
  ingest = await startIngest();
  for (const connection of all) ingest.tenants.connections.set(connection.connectionId, connection);
}, 60_000);
afterAll(async () => await ingest.stop());
beforeEach(async () => {
  ingest.clock.aheadMs = 0;
  await ingest.clear();
});

async function post(path: string, body: string, headers: Record<string, string> = {}): Promise<number> {
  const response = await fetch(`${ingest.url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });
  expect(await response.text()).toBe('');
  return response.status;
}
const signed = (entry: ProviderEntry, body: string, secret: string, auth: WebhookAuth = entry.webhook.auth) => signWebhook(auth, { url: '', body: Buffer.from(body) }, secret);
const postSigned = (path: string, body: string, secret: string) => post(path, body, signed(path.includes('chatwoot') ? providers.chatwoot : providers.botpress, body, secret));
const owners = async () => (await ingest.stored()).map((row) => row.connection_id);
const sharedPaths = ['/webhooks/chatwoot', '/webhooks/chatwoot/', '/api/v1/webhooks/chatwoot', '/api/webhooks/chatbot/chatwoot'];

describe('a webhook of a tenant\'s own Chatwoot', () => {
  it.each([
    ['acme', acmeOwn, 'chatwoot secret of acme'],
    ['globex', globexOwn, 'chatwoot secret of globex'],
  ])('is its own at its own URL, though another server has the same account and inbox (%s)', async (_name, connection, secret) => {
    const body = chatwootMessage(1, 1);
    const path = `/webhooks/chatwoot/${connection.connectionId}`;
    for (let time = 0; time < 2; time++) expect(await postSigned(path, body, secret)).toBe(200);
    expect(await ingest.published()).toMatchObject([{ type: 'webhook.received.chatwoot', tenantId: connection.tenantId, orderingKey: `${connection.connectionId}:acme-wa-55`, payload: { connectionId: connection.connectionId } }]);
    expect(JSON.stringify(await ingest.stored())).not.toContain('live-credential');
  });

  it.each(sharedPaths)('is whose secret signed it at %s', async (path) => {
    expect(await postSigned(path, chatwootMessage(1, 1), 'chatwoot secret of globex')).toBe(200);
    expect(await postSigned(path, chatwootMessage(1, 1), 'chatwoot secret of acme')).toBe(200);
    expect(await postSigned(path, chatwootMessage(1, 1), 'platform secret of account 1')).toBe(200);
    expect(await owners()).toEqual([globexOwn.connectionId, acmeOwn.connectionId, globexSharedTwin.connectionId]);
  });

  it('numbers its messages for itself: another server\'s with the same number is another message', async () => {
    const second = ownChatwootConnection(acme, { server: 'other.acme.example', account: 1, inbox: 1, secret: 'second secret of acme' });
    ingest.tenants.connections.set(second.connectionId, second);
    const body = chatwootMessage(1, 1);
    expect(await postSigned(`/webhooks/chatwoot/${acmeOwn.connectionId}`, body, 'chatwoot secret of acme')).toBe(200);
    expect(await postSigned(`/webhooks/chatwoot/${second.connectionId}`, body, 'second secret of acme')).toBe(200);
    expect(await owners()).toEqual([acmeOwn.connectionId, second.connectionId]);
    ingest.tenants.connections.delete(second.connectionId);
  });

  it.each([
    ['another tenant\'s own account, at its own URL', `/webhooks/chatwoot/${acmeOwn.connectionId}`, chatwootMessage(2, 2), 401],
    ['an inbox of the platform, at its own URL', `/webhooks/chatwoot/${acmeOwn.connectionId}`, chatwootMessage(77, 42), 401],
    ['an inbox of the platform', '/api/v1/webhooks/chatwoot', chatwootMessage(77, 42), 401],
    ['its own inbox, at the URL of an inbox of the platform', `/webhooks/chatwoot/${globexShared.connectionId}`, chatwootMessage(1, 1), 401],
    ['its own inbox, at another tenant\'s URL', `/webhooks/chatwoot/${globexOwn.connectionId}`, chatwootMessage(1, 1), 401],
  ])('gives nobody anything when it names %s', async (_case, path, body, status) => {
    const other = ownChatwootConnection(globex, { server: 'third.example', account: 2, inbox: 2, secret: 'third secret' });
    ingest.tenants.connections.set(other.connectionId, other);
    expect(await postSigned(path, body, 'chatwoot secret of acme')).toBe(status);
    expect(await ingest.stored()).toEqual([]);
    expect(await ingest.quarantined()).toEqual([]);
  });

  it('is known by an inbox of its account that was not named before: events of the account are its connection\'s', async () => {
    expect(await postSigned(`/webhooks/chatwoot/${acmeOwn.connectionId}`, chatwootMessage(1, 9), 'chatwoot secret of acme')).toBe(200);
    expect(await owners()).toEqual([acmeOwn.connectionId]);
  });

  it('is refused with a stale signature, a changed body, or none', async () => {
    const body = chatwootMessage(1, 1);
    const path = `/webhooks/chatwoot/${acmeOwn.connectionId}`;
    const stale = signWebhook(providers.chatwoot.webhook.auth, { url: '', body: Buffer.from(body) }, 'chatwoot secret of acme', Date.now() / 1000 - 301);
    expect(await post(path, body, stale)).toBe(401);
    expect(await post(path, body.replace('Olá', 'Ola'), signed(providers.chatwoot, body, 'chatwoot secret of acme'))).toBe(401);
    expect(await post(path, body)).toBe(401);
    expect(await ingest.stored()).toEqual([]);
  });
});

describe('hundreds of servers with the same account and inbox', () => {
  const many = Array.from({ length: 150 }, (_, index) => ownChatwootConnection(index % 2 === 0 ? acme : globex, { server: `desk-${index}.example`, account: 5, inbox: 5, secret: `secret of server ${index}` }));

  it('each get their own at their own URL, and a stranger who names the numbers has no more secrets opened than are tried', async () => {
    for (const connection of many) {
      ingest.tenants.connections.set(connection.connectionId, connection);
      expect(await postSigned(`/webhooks/chatwoot/${connection.connectionId}`, chatwootMessage(5, 5), connection.webhookSecrets[0]?.value ?? '')).toBe(200);
    }
    expect((await owners()).toSorted()).toEqual(many.map(({ connectionId }) => connectionId).toSorted());
    await ingest.clear();
    expect(await postSigned('/webhooks/chatwoot', chatwootMessage(5, 5), 'nobody\'s secret')).toBe(401);
    expect(await postSigned(`/webhooks/chatwoot/${many[149]?.connectionId}`, chatwootMessage(5, 5), 'secret of server 148')).toBe(401);
    expect(await ingest.stored()).toEqual([]);
  });
});

describe('a webhook of the platform\'s Chatwoot', () => {
  it.each([...sharedPaths, `/webhooks/chatwoot/${globexShared.connectionId}`])('is the tenant\'s whose inbox it names (%s)', async (path) => {
    expect(await postSigned(path, chatwootMessage(77, 42), platformSecret)).toBe(200);
    expect(await owners()).toEqual([globexShared.connectionId]);
  });

  it('of a server before 4.14.2 is found by its inbox, which is one of the server\'s', async () => {
    const conversation = { event: 'conversation_status_changed', id: 1204, inbox_id: 41, status: 'open', messages: [], updated_at: 1783077911.02 };
    expect(await postSigned('/api/v1/webhooks/chatwoot', JSON.stringify(conversation), platformSecret)).toBe(200);
    expect(await postSigned('/api/webhooks/chatbot/chatwoot', JSON.stringify({ inbox_id: 42, conversation: { id: 7 }, content: 'Oi' }), platformSecret)).toBe(200);
    expect(await owners()).toEqual([acmeShared.connectionId, globexShared.connectionId]);
  });

  it('that names an inbox nobody has is kept aside, and is nobody\'s', async () => {
    await postSigned('/api/v1/webhooks/chatwoot', chatwootMessage(77, 41), platformSecret);
    await ingest.clear();
    expect(await postSigned('/api/v1/webhooks/chatwoot', chatwootMessage(77, 99), platformSecret)).toBe(200);
    expect(await ingest.stored()).toEqual([]);
    expect(await ingest.quarantined()).toMatchObject([{ accounts: ['sharedInbox:77/99', 'inboxKey:77/99', 'accountKey:77'] }]);
  });

  it.each(['chatwoot secret of acme', 'platform secret of account 1', 'nobody\'s secret'])('is verified by nothing but the secret of that account of the platform (%s)', async (secret) => {
    for (const path of sharedPaths) expect(await postSigned(path, chatwootMessage(77, 41), secret)).toBe(401);
    expect(await ingest.stored()).toEqual([]);
  });
});

describe('the published forms, which have no id', () => {
  const forms = [
    ['/api/webhooks/chatbot/chatwoot', JSON.stringify({ inbox_id: 41, conversation: { id: 7 }, content: '1' }), platformSecret],
    ['/api/webhooks/chatbot/botpress', JSON.stringify({ sessionId: `${acmeBot.connectionId}-${newId('cnv')}`, responses: [{ text: 'Anything else?' }] }), 'botpress secret of acme'],
  ] as const;

  it.each(forms)('are one event when they come again at once, and another when the same is said later (%s)', async (path, body, secret) => {
    // The service's clock at the beginning of a period, so that none ends between the two.
    ingest.clock.aheadMs = 10_000 - (Date.now() % 10_000);
    const send = () => post(path, body, { 'x-webhook-token': secret });
    expect([await send(), await send()]).toEqual([200, 200]);
    expect(await ingest.stored()).toHaveLength(1);
    ingest.clock.aheadMs += 10_000;
    expect(await send()).toBe(200);
    expect(await ingest.stored()).toHaveLength(2);
  });

  it.each(forms)('are one event also when a period ends between the two (%s)', async (path, body, secret) => {
    ingest.clock.aheadMs = 10_000 - (Date.now() % 10_000) + 9_000;
    const send = () => post(path, body, { 'x-webhook-token': secret });
    expect(await send()).toBe(200);
    ingest.clock.aheadMs += 2_000;
    expect(await send()).toBe(200);
    expect(await ingest.stored()).toHaveLength(1);
  });
});

describe('a server that does not sign', () => {
  const secret = encodeURIComponent('chatwoot secret of acme');

  it.each([
    ...[`/webhooks/chatwoot/${acmeOwn.connectionId}/${secret}`, `/webhooks/chatwoot/${acmeOwn.connectionId}/${secret}/`, `/api/v1/webhooks/chatwoot/${secret}`, `/api/webhooks/chatbot/chatwoot/${secret}`].map((path): [string, Record<string, string>] => [path, {}]),
    ...['/api/v1/webhooks/chatwoot', '/api/webhooks/chatbot/chatwoot', `/webhooks/chatwoot/${acmeOwn.connectionId}`].map((path): [string, Record<string, string>] => [path, { 'x-webhook-token': 'chatwoot secret of acme' }]),
  ])('has the secret in its URL or in a header (%s %j)', async (path, headers) => {
    expect(await post(path, chatwootMessage(1, 1), headers)).toBe(200);
    expect(await owners()).toEqual([acmeOwn.connectionId]);
  });

  it.each([`/webhooks/chatwoot/${acmeOwn.connectionId}/wrong`, `/webhooks/chatwoot/${acmeOwn.connectionId}/${encodeURIComponent('chatwoot secret of globex')}`, '/api/v1/webhooks/chatwoot/wrong', `/api/v1/webhooks/chatwoot/${secret}x`])('is refused with another secret (%s)', async (path) => {
    expect(await post(path, chatwootMessage(1, 1))).toBe(401);
    expect(await ingest.stored()).toEqual([]);
  });

  it.each(['/webhooks/chatwoot/%', `/webhooks/chatwoot/${acmeOwn.connectionId}/%zz`, `/webhooks/whatsapp/${acmeOwn.connectionId}/x`, '/api/v1/webhooks/whatsapp', '/api/v1/webhooks/chatwoot/a/b'])('is answered 404 where there is no such address (%s)', async (path) => {
    const response = await fetch(`${ingest.url}${path}`, { method: 'POST', body: '{}' });
    expect(response.status).toBe(404);
  });

  it('leaves its secret in no metric and no row', async () => {
    await post(`/webhooks/chatwoot/${acmeOwn.connectionId}/${secret}`, chatwootMessage(1, 1));
    const metrics = await fetch(`${ingest.url}/metrics`).then((response) => response.text());
    expect(metrics).toContain('/webhooks/chatwoot/:connectionId[/:token]');
    for (const text of [metrics, JSON.stringify([await ingest.stored(), await ingest.published()])]) {
      expect(text).not.toContain('secret of acme');
      expect(text).not.toContain(secret);
    }
  });
});

describe('a webhook of Botpress', () => {
  const paths = (connectionId: string) => ['/webhooks/botpress', '/webhooks/botpress/', '/api/webhooks/chatbot/botpress', '/api/webhooks/chatbot/botpress/', `/webhooks/botpress/${connectionId}`, `/webhooks/botpress/${connectionId}/`];

  it.each(paths(acmeBot.connectionId))('is the connection\'s whose conversation it names (%s)', async (path) => {
    const body = botpressMessage(acmeBot.connectionId);
    for (let time = 0; time < 2; time++) expect(await postSigned(path, body, 'botpress secret of acme')).toBe(200);
    expect(await ingest.published()).toMatchObject([{ type: 'webhook.received.botpress', tenantId: acme, payload: { connectionId: acmeBot.connectionId, body } }]);
  });

  it.each(providers.botpress.webhook.auth.schemes.slice(0, 4))('proves itself by any of its headers (%j)', async (scheme) => {
    const body = JSON.stringify({ sessionId: `${acmeBot.connectionId}-${newId('cnv')}`, responses: [{ text: 'Hello' }] });
    expect(await post('/api/webhooks/chatbot/botpress', body, signed(providers.botpress, body, 'botpress secret of acme', scheme))).toBe(200);
    expect(await post('/api/webhooks/chatbot/botpress', body, signed(providers.botpress, body, 'botpress secret of globex', scheme))).toBe(401);
    expect(await owners()).toEqual([acmeBot.connectionId]);
  });

  it('proves itself by its URL', async () => {
    for (const path of ['/api/webhooks/chatbot/botpress', `/webhooks/botpress/${acmeBot.connectionId}`]) {
      expect(await post(`${path}/${encodeURIComponent('botpress secret of acme')}`, botpressMessage(acmeBot.connectionId))).toBe(200);
      expect(await post(`${path}/wrong`, botpressMessage(acmeBot.connectionId))).toBe(401);
    }
    expect(await owners()).toEqual([acmeBot.connectionId, acmeBot.connectionId]);
  });

  it('gives nobody anything when a tenant names another\'s conversation', async () => {
    for (const path of paths(acmeBot.connectionId)) expect(await postSigned(path, botpressMessage(globexBot.connectionId), 'botpress secret of acme')).toBe(401);
    expect(await ingest.stored()).toEqual([]);
  });

  it('of the platform\'s bot is each tenant\'s own', async () => {
    for (const { connectionId } of [acmeSharedBot, globexSharedBot]) expect(await postSigned('/webhooks/botpress', botpressMessage(connectionId), 'botpress secret of the platform')).toBe(200);
    expect((await ingest.stored()).map((row) => [row.tenant_id, row.connection_id])).toEqual([[acme, acmeSharedBot.connectionId], [globex, globexSharedBot.connectionId]]);
    expect(await postSigned('/webhooks/botpress', botpressMessage(acmeSharedBot.connectionId), 'botpress secret of acme')).toBe(401);
  });
});
