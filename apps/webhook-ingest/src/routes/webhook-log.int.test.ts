import { createMediaLinks, createMediaStore } from '@switchboard/connector-kit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { listQuarantine, listWebhooks, replayWebhooks, type TenantId } from '@switchboard/contracts';
import { providers } from '@switchboard/providers';
import { signWebhook } from '@switchboard/providers/webhook-auth';
import { adminHeaders, describeRoute } from '@switchboard/service-kit/testing';
import { runAsTenant } from '@switchboard/tenant-context';
import { testTenants } from '@switchboard/testing';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mediaUrlSecret, metaBody, startIngest, textMessage, whatsAppConnection, type TestIngest } from '../../test/start-ingest.ts';

const [acme, globex] = testTenants;
const ofAcme = whatsAppConnection(acme, { appSecret: 'app-secret-tenant-a', phoneNumberId: '700100200300401' });
const ofGlobex = whatsAppConnection(globex, { appSecret: 'app-secret-tenant-b', phoneNumberId: '700100200300402' });

let ingest: TestIngest;
let mediaDir: string;

beforeAll(async () => {
  mediaDir = await mkdtemp(join(tmpdir(), 'switchboard-media-'));
  ingest = await startIngest({ mediaDir });
  for (const connection of [ofAcme, ofGlobex]) ingest.tenants.connections.set(connection.connectionId, connection);
}, 60_000);
afterAll(async () => {
  await ingest.stop();
  await rm(mediaDir, { recursive: true });
});
beforeEach(async () => await ingest.clear());

async function receive(connection = ofAcme, message = textMessage()): Promise<void> {
  const body = metaBody({ phoneNumberId: connection.routingIdentifiers['phoneNumberId'] ?? '', messages: [message] });
  const headers = signWebhook(providers.whatsapp.webhook.auth, { url: '', body: Buffer.from(body) }, connection.webhookSecrets[0]?.value ?? '');
  const { status } = await fetch(`${ingest.url}/webhooks/whatsapp`, { method: 'POST', headers, body });
  expect(status).toBe(200);
}

async function call(method: string, path: string, body?: unknown) {
  const response = await fetch(`${ingest.url}${path}`, { method, headers: { ...adminHeaders(), 'content-type': 'application/json' }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  return { status: response.status, json: (await response.json()) as { data: { webhookId: string; body: string; receivedAt: string }[]; nextCursor: string | null; replayed: number; code: string } };
}

describeRoute(listWebhooks, { service: 'webhook-ingest', url: () => ingest.url, tenants: testTenants, input: (tenantId: TenantId) => ({ params: { tenantId } }), badInputs: { 'a cursor of its own making': (input) => ({ ...input, query: { cursor: 'x' } }), 'a time that is none': (input) => ({ ...input, query: { from: 'yesterday' } }) } });
describeRoute(replayWebhooks, {
  service: 'webhook-ingest',
  url: () => ingest.url,
  tenants: testTenants,
  input: async (tenantId) => {
    await receive();
    return { params: { tenantId }, body: { webhookIds: [(await ingest.stored())[0]!.webhook_id as `whk_${string}`] } };
  },
  missing: (input) => ({ ...input, body: { webhookIds: ['whk_00000000000000000000000000'] } }),
  badInputs: { 'no webhook at all': (input) => ({ ...input, body: { webhookIds: [] } }), 'a range without its end': (input) => ({ ...input, body: { connectionId: ofAcme.connectionId, from: new Date().toISOString() } }) },
});
describeRoute(listQuarantine, { service: 'webhook-ingest', url: () => ingest.url, tenants: testTenants, input: () => ({}) });

describe('the webhook log', () => {
  it('lists newest first, page by page, of one tenant and one connection', async () => {
    for (let count = 0; count < 5; count++) await receive();
    await receive(ofGlobex);
    const path = `/tenants/${acme}/webhooks?connectionId=${ofAcme.connectionId}&limit=2`;
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await call('GET', path + (cursor === null ? '' : `&cursor=${cursor}`));
      seen.push(...page.json.data.map((webhook) => webhook.webhookId));
      cursor = page.json.nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual((await ingest.stored()).filter((row) => row.tenant_id === acme).map((row) => row.webhook_id).toReversed());
    expect((await call('GET', `/tenants/${acme}/webhooks?connectionId=${ofGlobex.connectionId}`)).json.data).toEqual([]);
  });

  it('lists what came in a span of time', async () => {
    await receive();
    const later = new Date(Date.now() + 1).toISOString();
    expect((await call('GET', `/tenants/${acme}/webhooks?to=${later}`)).json.data).toHaveLength(1);
    expect((await call('GET', `/tenants/${acme}/webhooks?from=${later}`)).json.data).toHaveLength(0);
  });
});

describe('replaying', () => {
  it('hands webhooks on again as new events about the same webhooks, in the order they came', async () => {
    for (let count = 0; count < 3; count++) await receive();
    await receive(ofGlobex);
    const before = await ingest.published();
    const range = { connectionId: ofAcme.connectionId, from: new Date(Date.now() - 60_000).toISOString(), to: new Date(Date.now() + 60_000).toISOString() };
    expect(await call('POST', `/tenants/${acme}/webhooks/replay`, range)).toMatchObject({ status: 202, json: { replayed: 3, nextFrom: null } });
    const again = (await ingest.published()).slice(before.length);
    expect(again.map((event) => [event.payload, event.orderingKey])).toEqual(before.filter((event) => event.tenantId === acme).map((event) => [event.payload, event.orderingKey]));
    expect(new Set([...before, ...again].map((event) => event.eventId)).size).toBe(7);
  });

  it('touches nothing of another tenant, and nothing at all when one of the ids is not there', async () => {
    await receive();
    await receive(ofGlobex);
    const ids = (await ingest.stored()).map((row) => row.webhook_id);
    const before = (await ingest.published()).length;
    expect(await call('POST', `/tenants/${acme}/webhooks/replay`, { webhookIds: ids })).toMatchObject({ status: 404, json: { code: 'webhook.not_found' } });
    expect((await call('POST', `/tenants/${acme}/webhooks/replay`, { connectionId: ofGlobex.connectionId, from: '2026-01-01T00:00:00Z', to: '2100-01-01T00:00:00Z' })).json.replayed).toBe(0);
    expect(await ingest.published()).toHaveLength(before);
  });
});

describe('large webhooks', () => {
  it('are listed and handed on all of them, in the order of others, but few at once: all tenants share the memory', async () => {
    const body = (index: number) => JSON.stringify({ index, text: 'x'.repeat(3 * 1024 * 1024) });
    const whks = Array.from({ length: 8 }, (_, index) => `whk_000000000000000000000000${10 + index}` as const);
    for (const [index, id] of whks.entries()) {
      await ingest.admin.query(`insert into ingest.webhooks (tenant_id, webhook_id, connection_id, provider, event_key, ordering_key, body, received_at) values ($1, $2, $3, 'whatsapp', $2, 'k', $4, now())`, [acme, id, ofAcme.connectionId, body(index)]);
    }
    const pages: string[][] = [];
    let cursor: string | null = null;
    do {
      const { json } = await call('GET', `/tenants/${acme}/webhooks?limit=200${cursor === null ? '' : `&cursor=${cursor}`}`);
      pages.push(json.data.map(({ webhookId }) => webhookId));
      cursor = json.nextCursor;
    } while (cursor !== null);
    expect(pages.map(({ length }) => length)).toEqual([3, 3, 2]);
    expect(pages.flat()).toEqual(whks.toReversed());

    const replayedSince = async (before: number) => (await ingest.published()).slice(before).map(({ payload }) => (payload as { webhookId: string }).webhookId);
    expect((await call('POST', `/tenants/${acme}/webhooks/replay`, { webhookIds: whks.toReversed() })).json.replayed).toBe(8);
    expect(await replayedSince(0)).toEqual(whks);
    const range = { connectionId: ofAcme.connectionId, from: new Date(Date.now() - 60_000).toISOString(), to: new Date(Date.now() + 60_000).toISOString() };
    expect((await call('POST', `/tenants/${acme}/webhooks/replay`, range)).json.replayed).toBe(8);
    expect(await replayedSince(8)).toEqual(whks);
  }, 30_000);
});

describe('files of messages', () => {
  const links = createMediaLinks({ secret: mediaUrlSecret, publicUrl: 'http://hub.example.test', now: () => new Date() });
  const stored = async (bytes: string, mimeType: string, fileName?: string) =>
    await runAsTenant(acme, async () => {
      const store = createMediaStore({ mediaDir, mediaS3Region: '', mediaS3Prefix: '', mediaS3AccessKeyId: '', mediaS3SecretAccessKey: '' });
      return new URL(links.urlOf({ mediaKey: await store.store(Buffer.from(bytes)), mimeType, ...(fileName === undefined ? {} : { fileName }) })).pathname;
    });

  it('are served to whoever has the link, with their type and nothing that runs', async () => {
    const response = await fetch(`${ingest.url}${await stored('a picture', 'image/png')}`);
    expect([response.status, response.headers.get('content-type'), response.headers.get('x-content-type-options'), await response.text()]).toEqual([200, 'image/png', 'nosniff', 'a picture']);
    expect(response.headers.get('content-security-policy')).toContain('sandbox');
  });

  it.each(['text/html', 'image/svg+xml', 'application/pdf', 'application/octet-stream'])('are saved, not shown, when they are %s', async (mimeType) => {
    const response = await fetch(`${ingest.url}${await stored('<script>', mimeType, 'Grüße "1".html')}`);
    expect(response.headers.get('content-disposition')).toBe("attachment; filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%221%22.html");
  });

  it('are missing for a changed link, an unknown file and another tenant', async () => {
    const path = await stored('a picture', 'image/png');
    expect((await fetch(`${ingest.url}${path}x`)).status).toBe(404);
    const elsewhere = runAsTenant(globex, () => new URL(links.urlOf({ mediaKey: 'f'.repeat(64), mimeType: 'image/png' })).pathname);
    expect((await fetch(`${ingest.url}${elsewhere}`)).status).toBe(404);
  });

  it('cannot put a header into the answer', async () => {
    const response = await fetch(`${ingest.url}${await stored('x', 'image/png\r\nset-cookie: a=b')}`);
    expect([response.headers.get('content-type'), response.headers.get('set-cookie')]).toEqual(['application/octet-stream', null]);
  });
});
