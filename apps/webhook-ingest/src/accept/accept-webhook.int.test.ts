import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { providers, type ProviderEntry } from '@switchboard/providers';
import { signWebhook } from '@switchboard/providers/webhook-auth';
import { testTenants } from '@switchboard/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import { genesysConnection, metaBody, startIngest, textMessage, whatsAppConnection, type TestIngest } from '../../test/start-ingest.ts';

const [acme, globex] = testTenants;
// Two tenants with Meta apps of their own, and two that share the platform's app.
const acmeOwn = whatsAppConnection(acme, { appSecret: 'app-secret-tenant-a', phoneNumberId: '700100200300401' });
const globexOwn = whatsAppConnection(globex, { appSecret: 'app-secret-tenant-b', phoneNumberId: '700100200300402' });
const acmeShared = whatsAppConnection(acme, { appSecret: 'app-secret-platform', phoneNumberId: '700100200300403' });
const globexShared = whatsAppConnection(globex, { appSecret: 'app-secret-platform', phoneNumberId: '700100200300404' });
const acmeWaba = whatsAppConnection(acme, { appSecret: 'app-secret-waba', phoneNumberId: '700100200300405', routingIdentifiers: { phoneNumberId: '700100200300405', wabaId: '900100200300405' } });
const acmeDesk = genesysConnection(acme, { webhookSecret: 'genesys-secret-0001', integrationId: '6d0b7a52-3c1e-4f0a-9b7d-2a9c5e8f1d34' });

let ingest: TestIngest;

beforeAll(async () => {
  ingest = await startIngest();
  for (const connection of [acmeOwn, globexOwn, acmeShared, globexShared, acmeWaba, acmeDesk]) ingest.tenants.connections.set(connection.connectionId, connection);
}, 60_000);
afterAll(async () => await ingest.stop());
beforeEach(async () => {
  ingest.clock.aheadMs = 0;
  ingest.wire.mend();
  ingest.tenants.comeBack();
  await ingest.clear();
});

function post(path: string, body: string | Buffer, secret: string | undefined, entry: ProviderEntry = providers.whatsapp): Promise<Response> {
  const headers = secret === undefined ? {} : signWebhook(entry.webhook.auth, { url: '', body: Buffer.from(body) }, secret);
  return fetch(`${ingest.url}/webhooks/${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });
}

const textOf = (phoneNumberId: string, from?: string) => metaBody({ phoneNumberId, messages: [textMessage(from)] });
const acmeText = () => textOf('700100200300401');

describe('a webhook signed with its tenant\'s secret', () => {
  it('is stored under its tenant and published before it is answered', async () => {
    const body = acmeText();
    const response = await post('whatsapp', body, 'app-secret-tenant-a');
    expect([response.status, await response.text()]).toEqual([200, '']);
    const [stored, ...more] = await ingest.stored();
    expect(more).toEqual([]);
    expect(stored).toMatchObject({ tenant_id: acme, connection_id: acmeOwn.connectionId, body });
    const [event] = await ingest.published();
    expect(event).toMatchObject({ type: 'webhook.received.whatsapp', tenantId: acme, orderingKey: `${acmeOwn.connectionId}:15005550123`, payload: { webhookId: stored?.webhook_id, connectionId: acmeOwn.connectionId, body } });
  });

  it('comes to the connection\'s own URL as well', async () => {
    expect((await post(`whatsapp/${acmeOwn.connectionId}`, acmeText(), 'app-secret-tenant-a')).status).toBe(200);
    expect(await ingest.stored()).toHaveLength(1);
  });

  it('comes from Genesys to its connection', async () => {
    const body = JSON.stringify({ id: '0f3c', channel: { id: '6d0b7a52-3c1e-4f0a-9b7d-2a9c5e8f1d34', to: { id: '4915112345678' } }, type: 'Text', text: 'Grüße', direction: 'Outbound' });
    const path = `genesys/${acmeDesk.connectionId}`;
    for (let time = 0; time < 2; time++) expect((await post(path, body, 'genesys-secret-0001', providers.genesys)).status).toBe(200);
    expect(await ingest.published()).toMatchObject([{ type: 'webhook.received.genesys', orderingKey: `${acmeDesk.connectionId}:4915112345678`, payload: { body } }]);
    expect((await post(path, body, 'genesys-secret-0002', providers.genesys)).status).toBe(401);
  });

  it('is given to its WABA\'s connection when it names no number', async () => {
    const body = JSON.stringify({ object: 'whatsapp_business_account', entry: [{ id: '900100200300405', changes: [{ field: 'account_update', value: { event: 'VERIFIED_ACCOUNT' } }] }] });
    expect((await post('whatsapp', body, 'app-secret-waba')).status).toBe(200);
    expect(await ingest.stored()).toMatchObject([{ connection_id: acmeWaba.connectionId }]);
  });

  it('is kept whatever its field is', async () => {
    const body = JSON.stringify({ object: 'whatsapp_business_account', entry: [{ id: '9', changes: [{ field: 'never_heard_of', value: { metadata: { phone_number_id: '700100200300401' }, news: 1 } }] }] });
    expect((await post('whatsapp', body, 'app-secret-tenant-a')).status).toBe(200);
    expect(await ingest.stored()).toMatchObject([{ body }]);
  });
});

describe('a body with entries of two tenants', () => {
  it('gives each tenant its own when they share a Meta app', async () => {
    const forGlobex = textMessage();
    const body = metaBody({ phoneNumberId: '700100200300403', messages: [textMessage()] }, { phoneNumberId: '700100200300404', messages: [forGlobex] });
    expect((await post('whatsapp', body, 'app-secret-platform')).status).toBe(200);
    const stored = await ingest.stored();
    expect(stored.map((row) => [row.tenant_id, row.connection_id]).toSorted()).toEqual([[acme, acmeShared.connectionId], [globex, globexShared.connectionId]].toSorted());
    expect(stored.find((row) => row.tenant_id === acme)?.body).not.toContain(forGlobex.id);
    expect((await ingest.published()).map((event) => event.tenantId).toSorted()).toEqual([acme, globex].toSorted());
  });

  it('gives only the one whose secret signed it its own when they do not', async () => {
    const body = metaBody({ phoneNumberId: '700100200300401', messages: [textMessage()] }, { phoneNumberId: '700100200300402', messages: [textMessage()] });
    expect((await post('whatsapp', body, 'app-secret-tenant-a')).status).toBe(200);
    expect((await ingest.stored()).map((row) => row.tenant_id)).toEqual([acme]);
    expect(await ingest.quarantined()).toEqual([]);
  });

  it('gives nobody anything at the URL of one of them but that one', async () => {
    const body = metaBody({ phoneNumberId: '700100200300403', messages: [textMessage()] }, { phoneNumberId: '700100200300404', messages: [textMessage()] });
    expect((await post(`whatsapp/${acmeShared.connectionId}`, body, 'app-secret-platform')).status).toBe(200);
    expect((await ingest.stored()).map((row) => row.tenant_id)).toEqual([acme]);
  });
});

describe('a webhook that its tenant\'s secret did not sign', () => {
  it.each([
    ['no signature', 'whatsapp', undefined],
    ['a wrong secret', 'whatsapp', 'app-secret-nobody'],
    ['the secret of another tenant', 'whatsapp', 'app-secret-tenant-b'],
    ['the secret of another tenant, at that one\'s URL', `whatsapp/${globexOwn.connectionId}`, 'app-secret-tenant-b'],
    ['the secret of another tenant, at its own URL', `whatsapp/${acmeOwn.connectionId}`, 'app-secret-tenant-b'],
  ])('is answered 401 without a word and leaves nothing: %s', async (_case, path, secret) => {
    const response = await post(path, acmeText(), secret);
    expect([response.status, await response.text()]).toEqual([401, '']);
    expect([await ingest.stored(), await ingest.quarantined(), await ingest.published()]).toEqual([[], [], []]);
  });

  it('is one whose body was changed by a byte', async () => {
    const body = Buffer.from(acmeText());
    const headers = signWebhook(providers.whatsapp.webhook.auth, { url: '', body }, 'app-secret-tenant-a');
    body[body.indexOf('hello')]! ^= 1;
    expect((await fetch(`${ingest.url}/webhooks/whatsapp`, { method: 'POST', headers, body })).status).toBe(401);
    expect(await ingest.stored()).toEqual([]);
  });
});

describe('a webhook that comes again', () => {
  it('is answered the same and stored once, five times over', async () => {
    const body = acmeText();
    const statuses: number[] = [];
    for (let time = 0; time < 5; time++) statuses.push((await post('whatsapp', body, 'app-secret-tenant-a')).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200]);
    expect(await ingest.published()).toHaveLength(1);
  });

  it('is stored once when ten come at the same moment', async () => {
    const body = acmeText();
    const responses = await Promise.all(Array.from({ length: 10 }, () => post('whatsapp', body, 'app-secret-tenant-a')));
    expect(responses.map((response) => response.status)).toEqual(Array<number>(10).fill(200));
    expect(await ingest.published()).toHaveLength(1);
  });

  it('is known again in another batch, and next to its twin in one body', async () => {
    const message = textMessage();
    const twice = metaBody({ phoneNumberId: '700100200300401', messages: [message, message] });
    const again = metaBody({ phoneNumberId: '700100200300401', messages: [textMessage(), message] });
    for (const body of [twice, again]) expect((await post('whatsapp', body, 'app-secret-tenant-a')).status).toBe(200);
    expect(await ingest.stored()).toHaveLength(2);
  });

  it('is another event when a status of the same message follows', async () => {
    for (const status of ['sent', 'delivered', 'read', 'delivered']) {
      await post('whatsapp', metaBody({ phoneNumberId: '700100200300401', statuses: [{ id: 'wamid.OUT1', status, timestamp: '1790000100', recipient_id: '15005550123' }] }), 'app-secret-tenant-a');
    }
    expect((await ingest.stored()).map((row) => row.event_key.split(':').at(-1))).toEqual(['sent', 'delivered', 'read']);
  });
});

describe('a webhook that is nobody\'s', () => {
  it('is answered 200 and kept aside once when a known secret signed it', async () => {
    const body = textOf('700100200300999');
    for (let time = 0; time < 2; time++) expect((await post('whatsapp', body, 'app-secret-tenant-a')).status).toBe(200);
    expect(await ingest.stored()).toEqual([]);
    expect(await ingest.quarantined()).toMatchObject([{ accounts: ['phoneNumberId:700100200300999'], connection_id: null }]);
  });

  it('is kept aside at the URL of the connection whose secret signed it', async () => {
    expect((await post(`whatsapp/${acmeOwn.connectionId}`, textOf('700100200300999'), 'app-secret-tenant-a')).status).toBe(200);
    expect(await ingest.quarantined()).toMatchObject([{ connection_id: acmeOwn.connectionId }]);
  });

  it('is not the WABA\'s: an unknown number of a connected WABA is kept aside', async () => {
    const body = metaBody({ phoneNumberId: '700100200300998', wabaId: '900100200300405', messages: [textMessage()] });
    expect((await post('whatsapp', body, 'app-secret-waba')).status).toBe(200);
    expect(await ingest.stored()).toEqual([]);
    expect(await ingest.quarantined()).toHaveLength(1);
  });

  it('does not keep the known accounts of its body waiting', async () => {
    const body = metaBody({ phoneNumberId: '700100200300999', messages: [textMessage()] }, { phoneNumberId: '700100200300401', messages: [textMessage()] });
    expect((await post('whatsapp', body, 'app-secret-tenant-a')).status).toBe(200);
    expect(await ingest.stored()).toHaveLength(1);
    expect(await ingest.quarantined()).toMatchObject([{ accounts: ['phoneNumberId:700100200300999'] }]);
    expect((await ingest.quarantined())[0]?.body.toString()).not.toContain('700100200300401');
  });

  it.each([['an unknown secret', 'app-secret-nobody', 404], ['no signature', undefined, 401]])('is answered without a word with %s', async (_case, secret, status) => {
    const response = await post('whatsapp', textOf('700100200300999'), secret);
    expect([response.status, await response.text()]).toEqual([status, '']);
    expect(await ingest.quarantined()).toEqual([]);
  });

  it.each(['con_00000000000000000000000000', 'con_x', 'nonsense'])('is answered 404 at the URL of %s', async (id) => {
    expect((await post(`whatsapp/${id}`, acmeText(), 'app-secret-tenant-a')).status).toBe(404);
    expect((await post(`genesys/${acmeOwn.connectionId}`, acmeText(), 'app-secret-tenant-a', providers.genesys)).status).toBe(404);
  });
});

describe('a body that cannot be read', () => {
  it.each(['not JSON', '{"entry":[]}', '[]', ''])('is kept aside when it is signed, and refused when it is not (%j)', async (body) => {
    expect((await post('whatsapp', body, 'app-secret-tenant-a')).status).toBe(200);
    expect((await post(`whatsapp/${globexOwn.connectionId}`, `${body} `, 'app-secret-tenant-b')).status).toBe(200);
    expect(await ingest.quarantined()).toHaveLength(2);
    expect((await post('whatsapp', body, 'app-secret-nobody')).status).toBe(401);
    expect((await post(`whatsapp/${globexOwn.connectionId}`, body, 'app-secret-tenant-a')).status).toBe(401);
  });

  it('is refused with 413 when it is larger than any of the provider, stated or not', async () => {
    const body = Buffer.alloc(providers.whatsapp.webhook.bodyMaxBytes + 1, 0x20);
    expect(await post('whatsapp', body, 'app-secret-tenant-a').then((response) => response.status)).toBe(413);
    const stream = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1024 * 1024)) });
    const status = await fetch(`${ingest.url}/webhooks/whatsapp`, { method: 'POST', body: stream, duplex: 'half' }).then((response) => response.status, () => 413);
    expect(status).toBe(413);
  });
});

describe('large bodies', () => {
  it('of 3 MB are taken', async () => {
    const body = metaBody({ phoneNumberId: '700100200300401', messages: [{ ...textMessage(), text: { body: 'x'.repeat(3_000_000) } }] });
    expect((await post('whatsapp', body, 'app-secret-tenant-a')).status).toBe(200);
    expect((await ingest.stored())[0]?.body).toBe(body);
  });

  it('of 1000 updates are stored in order and at once', async () => {
    const messages = Array.from({ length: 1_000 }, () => textMessage());
    const started = performance.now();
    expect((await post('whatsapp', metaBody({ phoneNumberId: '700100200300401', messages }), 'app-secret-tenant-a')).status).toBe(200);
    expect(performance.now() - started).toBeLessThan(2_000);
    const published = await ingest.published();
    expect(published.map((event) => /wamid\.TEST\d+/.exec(event.payload.body)?.[0])).toEqual(messages.map((message) => message.id));
  });
});

describe('a body that names thousands of accounts', () => {
  const bodyOf = (...more: string[]) => metaBody(...Array.from({ length: 1_500 }, (_, index) => `81${more.length}000${index}`).concat(more).map((phoneNumberId) => ({ phoneNumberId, messages: [textMessage()] })));
  const questions = () => ingest.tenants.calls.length;

  it('makes a stranger\'s few questions to tenant-service, whatever it names', async () => {
    const before = questions();
    expect((await post('whatsapp', bodyOf(), 'app-secret-nobody')).status).toBe(401);
    expect(questions() - before).toBeLessThanOrEqual(2);
  });

  it('is looked through to its end when a known secret signed it', async () => {
    await post('whatsapp', acmeText(), 'app-secret-tenant-a');
    await ingest.clear();
    expect((await post('whatsapp', bodyOf('700100200300401'), 'app-secret-tenant-a')).status).toBe(200);
    expect(await ingest.stored()).toMatchObject([{ connection_id: acmeOwn.connectionId }]);
    expect(await ingest.quarantined()).toHaveLength(1);
  });

  it('makes no question when nothing is signed', async () => {
    const before = questions();
    expect((await post('whatsapp', textOf('700100200300123'), undefined)).status).toBe(401);
    expect(questions()).toBe(before);
  });
});

describe('a body of 3 MB', () => {
  it('with 1 000 updates is taken', async () => {
    const messages = Array.from({ length: 1_000 }, () => ({ ...textMessage(), text: { body: 'x'.repeat(2_800) } }));
    const body = metaBody({ phoneNumberId: '700100200300401', messages });
    expect(body.length).toBeGreaterThan(2_900_000);
    expect((await post('whatsapp', body, 'app-secret-tenant-a')).status).toBe(200);
    expect(await ingest.stored()).toHaveLength(1_000);
  });

  it('with 1 000 statuses of everything that Meta says of one is taken, each in an entry of its own', async () => {
    const status = { status: 'delivered', timestamp: '1790000100', recipient_id: '15005550123', recipient_user_id: 'US.111', biz_opaque_callback_data: 'x'.repeat(500), conversation: { id: 'c', expiration_timestamp: '1790000200', origin: { type: 'marketing' } }, pricing: { billable: true, pricing_model: 'PMP', type: 'regular', category: 'marketing' } };
    const body = metaBody(...Array.from({ length: 1_000 }, (_, index) => ({ phoneNumberId: '700100200300401', statuses: [{ id: `wamid.S${index}`, ...status }] })));
    expect((await post('whatsapp', body, 'app-secret-tenant-a')).status).toBe(200);
    expect(await ingest.stored()).toHaveLength(1_000);
  });
});

describe('without what it needs', () => {
  it('answers 503 with Retry-After in seconds while Postgres is away, keeps nothing, and goes on when it is back', async () => {
    const body = acmeText();
    await post('whatsapp', acmeText(), 'app-secret-tenant-a');
    await ingest.clear();
    ingest.wire.cut();
    const response = await post('whatsapp', body, 'app-secret-tenant-a');
    expect([response.status, Number(response.headers.get('retry-after')), await response.text()]).toEqual([503, 5, '']);
    ingest.wire.mend();
    expect((await post('whatsapp', body, 'app-secret-tenant-a')).status).toBe(200);
    expect(await ingest.stored()).toHaveLength(1);
  });

  it('answers 503 within seconds when Postgres hangs, also to those who wait behind', async () => {
    await post('whatsapp', acmeText(), 'app-secret-tenant-a');
    await ingest.clear();
    ingest.wire.jam();
    const started = performance.now();
    const responses = await Promise.all(Array.from({ length: 5 }, () => post('whatsapp', acmeText(), 'app-secret-tenant-a')));
    expect(responses.map((response) => response.status)).toEqual([503, 503, 503, 503, 503]);
    expect(performance.now() - started).toBeLessThan(8_000);
    ingest.wire.mend();
    expect((await post('whatsapp', acmeText(), 'app-secret-tenant-a')).status).toBe(200);
    expect(await ingest.stored()).toHaveLength(1);
  }, 30_000);

  it('accepts while tenant-service is away, also after a restart', async () => {
    await post('whatsapp', acmeText(), 'app-secret-tenant-a');
    ingest.tenants.leave();
    await ingest.restart();
    await ingest.clear();
    expect((await post('whatsapp', acmeText(), 'app-secret-tenant-a')).status).toBe(200);
    await ingest.clear();
    // Whether anybody has this account cannot be told now: the provider shall come again.
    expect((await post('whatsapp', textOf('700100200300996'), 'app-secret-nobody')).status).toBe(503);
  }, 30_000);

  it('stores what it can of a mixed body while tenant-service is away, and lets the whole come again for the rest', async () => {
    for (const body of [acmeText(), textOf('700100200300402')]) await post('whatsapp', body, 'app-secret-tenant-a');
    await ingest.clear();
    const late = whatsAppConnection(acme, { appSecret: 'app-secret-tenant-a', phoneNumberId: '700100200300997' });
    ingest.tenants.leave();
    const mixed = metaBody({ phoneNumberId: '700100200300997', messages: [textMessage()] }, { phoneNumberId: '700100200300401', messages: [textMessage()] });
    expect((await post('whatsapp', mixed, 'app-secret-tenant-a')).status).toBe(503);
    expect([(await ingest.stored()).length, await ingest.quarantined()]).toEqual([1, []]);
    // Signed by nobody whom we know: whether it is the unknown one's cannot be told either.
    const foreign = metaBody({ phoneNumberId: '700100200300997', messages: [textMessage()] }, { phoneNumberId: '700100200300402', messages: [textMessage()] });
    expect((await post('whatsapp', foreign, 'app-secret-nobody')).status).toBe(503);
    ingest.tenants.comeBack();
    ingest.tenants.connections.set(late.connectionId, late);
    expect((await post('whatsapp', mixed, 'app-secret-tenant-a')).status).toBe(200);
    expect((await ingest.stored()).map((row) => row.connection_id)).toEqual([acmeOwn.connectionId, late.connectionId]);
    ingest.tenants.connections.delete(late.connectionId);
  }, 30_000);
});

describe('secrets of a connection', () => {
  it('are readable nowhere in the database', async () => {
    await post('whatsapp', acmeText(), 'app-secret-tenant-a');
    const { rows } = await ingest.admin.query<{ row: string }>('select c::text as row from ingest.connections c union all select k::text from ingest.tenant_keys k');
    const text = rows.map(({ row }) => row + Buffer.from(row.replaceAll(/\\x|[^0-9a-f]/g, ''), 'hex').toString('latin1')).join('\n');
    for (const secret of ['app-secret', 'genesys-secret', 'verify-7001']) expect(text).not.toContain(secret);
    expect(rows.length).toBeGreaterThan(2);
  });

  it('verify while they are current or not yet expired', async () => {
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const rotating = whatsAppConnection(acme, { appSecret: 'new-secret', phoneNumberId: '700100200300501', webhookSecrets: [{ value: 'new-secret', expiresAt: null }, { value: 'old-secret', expiresAt }] });
    ingest.tenants.connections.set(rotating.connectionId, rotating);
    await ingest.publishChange(rotating);
    const send = async (secret: string) => (await post('whatsapp', textOf('700100200300501'), secret)).status;
    expect(await send('old-secret')).toBe(200);
    expect(await send('new-secret')).toBe(200);
    ingest.clock.aheadMs = 3_600_001;
    expect(await send('old-secret')).toBe(401);
    expect(await send('new-secret')).toBe(200);
  });
});

describe('a connection that changes', () => {
  const statusUntil = async (expected: number, phoneNumberId: string, secret: string): Promise<number> => {
    const started = performance.now();
    for (;;) {
      const { status } = await post('whatsapp', textOf(phoneNumberId), secret);
      if (status === expected || performance.now() - started > 3_000) return status;
      await sleep(20);
    }
  };

  it('is known at once when it is new, though it was asked for before', async () => {
    expect((await post('whatsapp', textOf('700100200300601'), 'secret-601')).status).toBe(404);
    const fresh = whatsAppConnection(globex, { appSecret: 'secret-601', phoneNumberId: '700100200300601' });
    ingest.tenants.connections.set(fresh.connectionId, fresh);
    await ingest.publishChange(fresh);
    expect(await statusUntil(200, '700100200300601', 'secret-601')).toBe(200);

    const replaced = { ...fresh, version: 2, webhookSecrets: [{ value: 'secret-601-b', expiresAt: null }] };
    ingest.tenants.connections.set(fresh.connectionId, replaced);
    await ingest.publishChange(replaced);
    expect(await statusUntil(200, '700100200300601', 'secret-601-b')).toBe(200);
    expect((await post('whatsapp', textOf('700100200300601'), 'secret-601')).status).toBe(401);

    ingest.tenants.connections.delete(fresh.connectionId);
    await ingest.publishChange({ ...replaced, version: 3 }, 'deleted');
    expect(await statusUntil(404, '700100200300601', 'secret-601-b')).toBe(404);
    expect((await ingest.admin.query('select from ingest.connections where connection_id = $1', [fresh.connectionId])).rowCount).toBe(0);
  });

  it('lets its webhooks come again while it is not active yet, and takes them when it is', async () => {
    const pending = whatsAppConnection(globex, { appSecret: 'secret-603', phoneNumberId: '700100200300603', status: 'pending' });
    ingest.tenants.connections.set(pending.connectionId, pending);
    // Ingest learns of it by its URL.
    const first = await post(`whatsapp/${pending.connectionId}`, textOf('700100200300603'), 'secret-603');
    expect([first.status, first.headers.get('retry-after')]).toEqual([503, '5']);
    expect((await post('whatsapp', textOf('700100200300603'), 'secret-603')).status).toBe(503);
    expect((await post('whatsapp', textOf('700100200300603'), 'app-secret-nobody')).status).toBe(404);
    expect([await ingest.stored(), await ingest.quarantined()]).toEqual([[], []]);
    const active = { ...pending, status: 'active' as const, version: 2 };
    ingest.tenants.connections.set(pending.connectionId, active);
    await ingest.publishChange(active);
    expect(await statusUntil(200, '700100200300603', 'secret-603')).toBe(200);
  });

  it('has its webhooks kept aside with a 200 once it has waited for hours, until its tenant changes it', async () => {
    const forgotten = whatsAppConnection(globex, { appSecret: 'secret-604', phoneNumberId: '700100200300604', status: 'pending' });
    ingest.tenants.connections.set(forgotten.connectionId, forgotten);
    const statusOf = async () => (await post(`whatsapp/${forgotten.connectionId}`, textOf('700100200300604'), 'secret-604')).status;
    expect(await statusOf()).toBe(503);
    ingest.clock.aheadMs = 6 * 3_600_000 + 60_000;
    try {
      expect(await statusOf()).toBe(200);
      expect(await ingest.stored()).toEqual([]);
      expect(await ingest.quarantined()).toHaveLength(1);
    } finally {
      ingest.clock.aheadMs = 0;
    }
    expect(await statusOf()).toBe(503);
  });

  it('has waited since it began to, however often the copy is made anew, and begins again when its tenant changes it', async () => {
    const forgotten = whatsAppConnection(globex, { appSecret: 'secret-605', phoneNumberId: '700100200300605', status: 'pending' });
    ingest.tenants.connections.set(forgotten.connectionId, forgotten);
    const statusOf = async () => (await post(`whatsapp/${forgotten.connectionId}`, textOf('700100200300605'), 'secret-605')).status;
    const copyAgain = async () => {
      await ingest.admin.query(`update ingest.connections set updated_at = 'epoch' where connection_id = $1`, [forgotten.connectionId]);
      await ingest.restart();
      const isCopied = async () => (await ingest.admin.query(`select from ingest.connections where connection_id = $1 and updated_at > 'epoch'`, [forgotten.connectionId])).rows.length > 0;
      for (let waited = 0; waited < 10_000 && !(await isCopied()); waited += 20) await sleep(20);
    };
    expect(await statusOf()).toBe(503);
    await ingest.admin.query(`update ingest.connections set pending_since = now() - interval '7 hours' where connection_id = $1`, [forgotten.connectionId]);
    await copyAgain();
    expect(await statusOf()).toBe(200);
    ingest.tenants.connections.set(forgotten.connectionId, { ...forgotten, version: forgotten.version + 1 });
    await copyAgain();
    expect(await statusOf()).toBe(503);
  }, 30_000);

  it('owns nothing of others before it is active: what it signs of nobody\'s is kept aside', async () => {
    const pending = whatsAppConnection(globex, { appSecret: 'secret-602', phoneNumberId: '700100200300401', status: 'pending' });
    ingest.tenants.connections.set(pending.connectionId, pending);
    expect((await post(`whatsapp/${pending.connectionId}`, acmeText(), 'secret-602')).status).toBe(401);
    expect((await post(`whatsapp/${pending.connectionId}`, textOf('700100200300777'), 'secret-602')).status).toBe(200);
    expect(await ingest.stored()).toEqual([]);
    expect(await ingest.quarantined()).toHaveLength(1);
  });
});

describe('the handshake', () => {
  const ask = (path: string, query: Record<string, string>) => fetch(`${ingest.url}/webhooks/${path}?${new URLSearchParams(query)}`);
  const good = { 'hub.mode': 'subscribe', 'hub.challenge': '<b>1029384756</b>', 'hub.verify_token': 'verify-700100200300401' };

  it.each(['whatsapp', `whatsapp/${acmeOwn.connectionId}`])('echoes the challenge byte for byte as plain text (%s)', async (path) => {
    const response = await ask(path, good);
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([200, 'text/plain; charset=utf-8', good['hub.challenge']]);
  });

  it.each([
    ['a wrong token', 'whatsapp', { ...good, 'hub.verify_token': 'verify-nobody' }],
    ['no token', 'whatsapp', { 'hub.mode': 'subscribe', 'hub.challenge': '1' }],
    ['another mode', 'whatsapp', { ...good, 'hub.mode': 'unsubscribe' }],
    ['no challenge', 'whatsapp', { ...good, 'hub.challenge': '' }],
    ['another tenant\'s URL', `whatsapp/${globexOwn.connectionId}`, good],
    ['an unknown URL', 'whatsapp/con_00000000000000000000000000', good],
  ])('is answered 403 with %s', async (_case, path, query) => {
    const response = await ask(path, query);
    expect([response.status, await response.text()]).toEqual([403, '']);
  });

  it('is not offered where the provider has none', async () => {
    expect((await ask(`genesys/${acmeDesk.connectionId}`, good)).status).toBe(404);
  });
});
