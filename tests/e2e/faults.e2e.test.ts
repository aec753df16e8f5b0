import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, quietMs, sleep } from './src/eventually.ts';
import { HubProcess } from './src/hub-process.ts';
import { callJson, type ConnectionRecord } from './src/onboard.ts';

type Sent = { data: { id: string; path: string; body: { text?: { body?: string } | string; type?: string; biz_opaque_callback_data?: string; channel?: { messageId?: string; from?: { id: string } } } }[] };
type Tenant = { apiKey: string; phoneNumberId: string; integrationId: string };
type Messages = { data: { messageId: string; content: { text?: string }; deliveries: { status: string; error: { code: string } | null }[] }[] };

// Several processes on two busy cores: what is waited for says how long in `eventually`.
jest.setTimeout(120_000);

/** Bad days at the providers, played by the sandbox. Two tenants: what fails for one must not touch the other. */
describe('when a provider has a bad day', () => {
  const home = mkdtempSync(join(tmpdir(), 'switchboard-faults-'));
  let hub: HubProcess;
  let acme: Tenant;
  let globex: Tenant;

  beforeAll(async () => {
    hub = await HubProcess.create('start', home);
    await hub.start();
    acme = await onboard('acme');
    globex = await onboard('globex');
  }, 240_000);
  afterAll(async () => {
    await hub.stop();
    rmSync(home, { recursive: true, force: true });
  }, 60_000);
  beforeEach(() => sandbox('DELETE', 'faults'));

  const sandbox = <T>(method: string, path: string, body?: unknown) => callJson<T>(method, `${hub.url('PROVIDER_SANDBOX')}/sandbox/${path}`, {}, body);
  const fault = (body: Record<string, unknown>) => sandbox('POST', 'faults', body);
  const receive = (tenant: Tenant, from: string, text: string, more: Record<string, unknown> = {}) => sandbox<{ id: string; attempts: number[] }>('POST', `whatsapp/${tenant.phoneNumberId}/receive`, { from, name: 'Ada', text, ...more });
  const reply = (tenant: Tenant, to: string, text: string) => sandbox<{ id: string; attempts: number[] }>('POST', `genesys/${tenant.integrationId}/reply`, { to, text });
  const agentsOf = async (tenant: Tenant) => (await sandbox<Sent>('GET', `genesys/${tenant.integrationId}/received`)).json.data.filter((call) => call.path.endsWith('/message'));
  const textsAtAgents = async (tenant: Tenant, from: string) => (await agentsOf(tenant)).filter((call) => call.body.channel?.from?.id === from).map((call) => call.body.text);
  const contactsOf = async (tenant: Tenant) => (await sandbox<Sent>('GET', `whatsapp/${tenant.phoneNumberId}/sent`)).json.data;
  const textsAtContacts = async (tenant: Tenant) => (await contactsOf(tenant)).flatMap(({ body }) => (typeof body.text === 'object' ? [body.text.body] : []));
  const messagesOf = async (tenant: Tenant, contact: string) => {
    const headers = { 'x-api-key': tenant.apiKey };
    const { json: mapping } = await callJson<{ conversationId: string }>('GET', `${hub.url('API_GATEWAY')}/state/mapping/${contact}`, headers);
    return (await callJson<Messages>('GET', `${hub.url('API_GATEWAY')}/state/conversations/${mapping.conversationId}/messages`, headers)).json.data;
  };

  async function onboard(tenantId: string): Promise<Tenant> {
    const admin = { authorization: `Bearer ${hub.adminKey}` };
    const tenants = `${hub.url('TENANT_SERVICE')}/tenants`;
    const created = await callJson<{ apiKey: string }>('POST', tenants, admin, { tenantId, name: tenantId, rateLimit: 100_000 });
    const connect = async (account: string, body: Record<string, unknown>) => {
      const made = await sandbox('POST', account, body);
      const { json } = await callJson<ConnectionRecord>('POST', `${tenants}/${tenantId}/credentials`, admin, made.json);
      return eventually(`${account} of ${tenantId}`, async () => {
        const connection = await callJson<ConnectionRecord>('GET', `${tenants}/${tenantId}/connections/${json.id}`, admin);
        return connection.json.status === 'active' ? connection.json : undefined;
      }, 90_000);
    };
    const whatsapp = await connect('whatsapp/accounts', { receipts: 'none' });
    const genesys = await connect('genesys/accounts', {});
    return { apiKey: created.json.apiKey, phoneNumberId: whatsapp.routingIdentifiers['phoneNumberId'] ?? '', integrationId: genesys.routingIdentifiers['integrationId'] ?? '' };
  }

  it('keeps a conversation\'s order while the desk throttles, and lets the other tenant pass', async () => {
    const contact = '15005550101';
    await fault({ provider: 'genesys', on: 'answers', contains: acme.integrationId, status: 429, retryAfterSeconds: 8, times: 1 });
    for (const text of ['one', 'two', 'three']) await receive(acme, contact, text);
    await receive(globex, contact, 'meanwhile');
    await eventually('the other tenant\'s message', async () => (await textsAtAgents(globex, contact)).includes('meanwhile') || undefined, 7_000);
    expect(await textsAtAgents(acme, contact)).toEqual([]);
    await eventually('all three', async () => (await textsAtAgents(acme, contact)).length >= 3 || undefined, 30_000);
    expect(await textsAtAgents(acme, contact)).toEqual(['one', 'two', 'three']);
  });

  it('tries again after the desk was down, with the same id, in order', async () => {
    const contact = '15005550102';
    await fault({ provider: 'genesys', on: 'answers', contains: acme.integrationId, status: 503, times: 2 });
    await receive(acme, contact, 'first');
    await receive(acme, contact, 'second');
    await eventually('both', async () => (await textsAtAgents(acme, contact)).length >= 2 || undefined, 60_000);
    expect(await textsAtAgents(acme, contact)).toEqual(['first', 'second']);
  });

  it('marks an answer whose fate is not known, does not send it twice, and takes the provider\'s later word', async () => {
    const contact = '15005550103';
    await receive(acme, contact, 'hello');
    await eventually('the conversation', async () => (await textsAtAgents(acme, contact)).length === 1 || undefined);
    await fault({ provider: 'whatsapp', on: 'answers', contains: '/messages', drop: 'answer' });
    await reply(acme, contact, 'perhaps');
    const lost = await eventually('the mark', async () => (await messagesOf(acme, contact)).find((message) => message.deliveries.some((delivery) => delivery.error?.code === 'delivery.outcome_unknown')));
    expect(lost.content.text).toBe('perhaps');
    await sleep(quietMs);
    expect((await textsAtContacts(acme)).filter((text) => text === 'perhaps')).toHaveLength(1);

    const sent = (await contactsOf(acme)).find(({ body }) => typeof body.text === 'object' && body.text.body === 'perhaps');
    await sandbox('POST', `whatsapp/${acme.phoneNumberId}/status`, { id: sent?.id, contact, status: 'delivered', callbackData: sent?.body.biz_opaque_callback_data });
    await eventually('the delivery', async () => (await messagesOf(acme, contact)).find((message) => message.messageId === lost.messageId && message.deliveries.some((delivery) => delivery.status === 'delivered')));
  });

  it('sends again what the provider certainly did not take', async () => {
    const contact = '15005550104';
    await receive(acme, contact, 'hello');
    await eventually('the conversation', async () => (await textsAtAgents(acme, contact)).length === 1 || undefined);
    await fault({ provider: 'whatsapp', on: 'answers', contains: '/messages', status: 429, code: 130429, times: 2 });
    await reply(acme, contact, 'surely');
    await reply(acme, contact, 'and then');
    await eventually('both', async () => (await textsAtContacts(acme)).includes('and then') || undefined, 60_000);
    expect((await textsAtContacts(acme)).filter((text) => text === 'surely' || text === 'and then')).toEqual(['surely', 'and then']);
  });

  it('shows a refusal that will not pass with the provider\'s code, and goes on with the next message', async () => {
    const contact = '15005550105';
    await receive(acme, contact, 'hello');
    await eventually('the conversation', async () => (await textsAtAgents(acme, contact)).length === 1 || undefined);
    await fault({ provider: 'whatsapp', on: 'answers', contains: '/messages', status: 400, code: 131026 });
    await reply(acme, contact, 'undeliverable');
    await reply(acme, contact, 'deliverable');
    await eventually('the next message', async () => (await textsAtContacts(acme)).includes('deliverable') || undefined);
    const refused = (await messagesOf(acme, contact)).find((message) => message.content.text === 'undeliverable');
    expect(refused?.deliveries).toMatchObject([{ status: 'failed' }]);
    // The agent is told as well.
    const receipts = await eventually('the receipt', async () => {
      const { json } = await sandbox<{ data: { path: string; body: { status?: string } }[] }>('GET', `genesys/${acme.integrationId}/received`);
      const failed = json.data.filter((call) => call.path.endsWith('/receipt') && call.body.status === 'Failed');
      return failed.length > 0 ? failed : undefined;
    });
    expect(receipts.length).toBeGreaterThan(0);
  });

  it('takes webhooks that are repeated and reordered for what they are', async () => {
    const contact = '15005550106';
    await fault({ provider: 'whatsapp', on: 'webhooks', contains: contact, repeat: 4, times: 2 });
    for (const text of ['alpha', 'beta']) expect((await receive(acme, contact, text)).json.attempts).toEqual([200, 200, 200, 200, 200]);
    await fault({ provider: 'whatsapp', on: 'webhooks', contains: contact, reorder: true });
    await receive(acme, contact, 'held back');
    await receive(acme, contact, 'overtook');
    await eventually('all four', async () => (await textsAtAgents(acme, contact)).length >= 4 || undefined);
    await sleep(quietMs);
    expect((await textsAtAgents(acme, contact)).toSorted()).toEqual(['alpha', 'beta', 'held back', 'overtook']);
  });

  it('fetches a contact\'s file at once, keeps it, and hands it to the agents under a link that works', async () => {
    const contact = '15005550107';
    const bytes = Buffer.from('a picture, as far as anybody here can tell');
    await sandbox('POST', `whatsapp/${acme.phoneNumberId}/receive`, { from: contact, media: { mimeType: 'image/png', base64: bytes.toString('base64'), caption: 'look' } });
    const call = await eventually('the file', async () => (await agentsOf(acme)).find(({ body }) => body.channel?.from?.id === contact));
    const { content, text } = call.body as { text?: string; content?: { attachment: { url: string; mime: string; mediaType: string } }[] };
    expect(text).toBe('look');
    expect(content?.[0]?.attachment).toMatchObject({ mime: 'image/png', mediaType: 'Image' });
    const url = content?.[0]?.attachment.url ?? '';
    const response = await fetch(url);
    expect([response.status, Buffer.from(await response.arrayBuffer()).equals(bytes), response.headers.get('content-type')]).toEqual([200, true, 'image/png']);
    const changed = url.slice(0, -1) + (url.endsWith('A') ? 'B' : 'A');
    expect((await fetch(changed)).status).toBe(404);
  });
});
