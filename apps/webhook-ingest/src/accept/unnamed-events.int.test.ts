import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { providers } from '@switchboard/providers';
import { signWebhook } from '@switchboard/providers/webhook-auth';
import { testTenants } from '@switchboard/testing';
import { genesysConnection, startIngest, type TestIngest } from '../../test/start-ingest.ts';

const [acme] = testTenants;
const integrationId = '6d0b7a52-3c1e-4f0a-9b7d-2a9c5e8f1d34';
const desk = genesysConnection(acme, { webhookSecret: 'genesys-secret-0001', integrationId });

let ingest: TestIngest;

beforeAll(async () => {
  ingest = await startIngest();
  ingest.tenants.connections.set(desk.connectionId, desk);
}, 60_000);
afterAll(async () => await ingest.stop());

async function post(body: string): Promise<number> {
  const headers = signWebhook(providers.genesys.webhook.auth, { url: '', body: Buffer.from(body) }, 'genesys-secret-0001');
  return (await fetch(`${ingest.url}/webhooks/genesys/${desk.connectionId}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })).status;
}

describe('an event that its provider gives no id', () => {
  it('is known again by its content, and another is not taken for it', async () => {
    const [delivered, read] = ['Delivered', 'Read'].map((status) => JSON.stringify({ channel: { id: integrationId, to: { id: '4915112345678' } }, type: 'Receipt', status, direction: 'Outbound' }));
    for (const body of [delivered!, read!, delivered!]) expect(await post(body)).toBe(200);
    expect((await ingest.stored()).map((row) => row.body)).toEqual([delivered, read]);
    expect((await ingest.published()).map((event) => event.payload.body)).toEqual([delivered, read]);
  });
});
