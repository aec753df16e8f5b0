import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { providers } from '@switchboard/providers';
import { signWebhook } from '@switchboard/providers/webhook-auth';
import { testTenants } from '@switchboard/testing';
import { metaBody, startIngest, textMessage, whatsAppConnection, type TestIngest } from '../../test/start-ingest.ts';

const [acme, globex] = testTenants;
const mine = whatsAppConnection(acme, { appSecret: 'app-secret-of-acme', phoneNumberId: '700100200300801' });
const theirs = whatsAppConnection(globex, { appSecret: 'app-secret-of-globex', phoneNumberId: '700100200300802' });
const silent = whatsAppConnection(globex, { appSecret: 'app-secret-silent', phoneNumberId: '700100200300803' });

let ingest: TestIngest;

beforeAll(async () => {
  ingest = await startIngest();
  await ingest.admin.query(`insert into bus.subscriptions (type, consumer_group, service, delivery) values ('connection.health', 'listener', 'listener', 'group')`);
  for (const connection of [mine, theirs, silent]) ingest.tenants.connections.set(connection.connectionId, connection);
}, 60_000);
afterAll(async () => await ingest.stop());

async function post(phoneNumberId: string, secret: string): Promise<number> {
  const body = metaBody({ phoneNumberId, messages: [textMessage()] });
  const headers = signWebhook(providers.whatsapp.webhook.auth, { url: '', body: Buffer.from(body) }, secret);
  return (await fetch(`${ingest.url}/webhooks/whatsapp`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })).status;
}

describe('a verified webhook', () => {
  it('is told of as its connection\'s last one, once for many, to its own tenant; a refused one is not', async () => {
    for (let count = 0; count < 5; count++) expect(await post('700100200300801', 'app-secret-of-acme')).toBe(200);
    expect(await post('700100200300802', 'app-secret-of-globex')).toBe(200);
    expect(await post('700100200300803', 'not the secret')).not.toBe(200);
    await ingest.restart();
    const told = (await ingest.published()).filter(({ type }) => type === 'connection.health');
    expect(told.map(({ tenantId, payload }) => ({ tenantId, ...payload })).toSorted((a, b) => a.tenantId.localeCompare(b.tenantId))).toEqual(
      [mine, theirs].map(({ tenantId, connectionId }) => ({ tenantId, connectionId, provider: 'whatsapp', lastWebhookAt: expect.any(String) })).toSorted((a, b) => a.tenantId.localeCompare(b.tenantId)),
    );
  });
});
