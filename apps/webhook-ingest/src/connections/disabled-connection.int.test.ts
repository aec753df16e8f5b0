import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { providers } from '@switchboard/providers';
import { signWebhook } from '@switchboard/providers/webhook-auth';
import { testTenants } from '@switchboard/testing';
import { metaBody, startIngest, textMessage, whatsAppConnection, type TestIngest } from '../../test/start-ingest.ts';

const [acme] = testTenants;
const disabled = whatsAppConnection(acme, { appSecret: 'app-secret-disabled', phoneNumberId: '700100200300701', status: 'disabled' });
const active = whatsAppConnection(acme, { appSecret: 'app-secret-active', phoneNumberId: '700100200300702' });

let ingest: TestIngest;

beforeAll(async () => {
  ingest = await startIngest();
  for (const connection of [disabled, active]) ingest.tenants.connections.set(connection.connectionId, connection);
}, 60_000);
afterAll(async () => await ingest.stop());

async function post(path: string, phoneNumberId: string, secret: string): Promise<number> {
  const body = metaBody({ phoneNumberId, messages: [textMessage()] });
  const headers = signWebhook(providers.whatsapp.webhook.auth, { url: '', body: Buffer.from(body) }, secret);
  return (await fetch(`${ingest.url}/webhooks/${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })).status;
}

describe('a connection that its tenant has switched off', () => {
  it('has no URL any more, whoever signed and whatever account the body names', async () => {
    const path = `whatsapp/${disabled.connectionId}`;
    expect(await post(path, '700100200300701', 'app-secret-disabled')).toBe(404);
    expect(await post(path, '700100200300702', 'app-secret-active')).toBe(404);
    expect(await post(path, '700100200300999', 'app-secret-disabled')).toBe(404);
    expect([...(await ingest.stored()), ...(await ingest.quarantined())]).toEqual([]);
    expect(await post(`whatsapp/${active.connectionId}`, '700100200300702', 'app-secret-active')).toBe(200);
  });

  it('owns no webhook at the shared URL', async () => {
    await ingest.clear();
    await post('whatsapp', '700100200300701', 'app-secret-disabled');
    expect(await ingest.stored()).toEqual([]);
    expect(await ingest.published()).toEqual([]);
  });

  it.each(['whatsapp', 'its own URL'])('answers no handshake (%s)', async (at) => {
    const ask = async ({ connectionId, verifyToken }: typeof active) => {
      const query = new URLSearchParams({ 'hub.mode': 'subscribe', 'hub.challenge': '1029384756', 'hub.verify_token': verifyToken ?? '' });
      return (await fetch(`${ingest.url}/webhooks/${at === 'whatsapp' ? at : `whatsapp/${connectionId}`}?${query}`)).status;
    };
    expect([await ask(active), await ask(disabled)]).toEqual([200, 403]);
  });
});
