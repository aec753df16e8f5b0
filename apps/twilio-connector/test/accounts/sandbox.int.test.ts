import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ConnectionId, ConnectionWithSecrets, TenantId } from '@switchboard/contracts';
import type { ClientContext } from '@switchboard/connector-kit';
import { createEgress } from '@switchboard/service-kit';
import { startSandbox, type SandboxProcess } from '@switchboard/service-kit/testing';
import { runAsSystem } from '@switchboard/tenant-context';
import { testTenants } from '@switchboard/testing';
import { tmpdir } from 'node:os';
import { listUsage } from '../../src/api/list-usage.ts';
import { twilioUsageOf } from '../../src/usage/twilio-usage-of.ts';
import { changedOf, connectionAt, startConnector, startDatabase, type Connector } from './start-connector.ts';

const [acme, globex] = testTenants;
const hourMs = 60 * 60_000;
const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

let store: Awaited<ReturnType<typeof startDatabase>>;
let sandbox: SandboxProcess;
let connections: Map<ConnectionId, ConnectionWithSecrets>;
let connector: Connector;
let ours: ConnectionWithSecrets;
let theirs: ConnectionWithSecrets;
let laterMs = 0;

beforeAll(async () => {
  store = await startDatabase();
  sandbox = await startSandbox();
}, 60_000);
afterAll(async () => {
  sandbox?.stop();
  await store?.close();
});

/** A subaccount as the sandbox makes it, whose webhooks lead nowhere. */
async function connect(tenantId: TenantId): Promise<ConnectionWithSecrets> {
  const { credentials } = await sandbox.ask<{ credentials: { accountSid: string; authToken: string; phoneNumber: string } }>('POST', '/twilio/tenants', {});
  const connection = connectionAt(tenantId, { ...credentials, url: `${sandbox.url}/twilio` });
  connections.set(connection.connectionId, connection);
  return connection;
}

const contactWrites = ({ settings }: ConnectionWithSecrets, from: string, more: object) =>
  sandbox.ask<{ messageSid: string }>('POST', `/twilio/accounts/${settings['accountSid'] ?? ''}/receive`, { from, to: from.startsWith('whatsapp:') ? `whatsapp:${settings['phoneNumber']}` : settings['phoneNumber'], ...more });

beforeEach(async () => {
  connections = new Map();
  laterMs = 0;
  await runAsSystem('each test has connections of its own', () => store.db.transaction(() => store.db.sql.query('delete from reconciliations')));
  ours = await connect(acme);
  theirs = await connect(globex);
  connector = await startConnector(store.db, connections, { mediaDir: tmpdir(), now: () => new Date(Date.now() + laterMs) });
  for (const connection of connections.values()) await connector.handle(changedOf(connection, new Date(Date.now() - 60_000)));
});

describe('at the stand-in, which holds every request to Twilio\'s description', () => {
  it('messages whose webhooks led nowhere are found with their files, each by its own tenant, and once', async () => {
    await contactWrites(ours, '+15005550111', { text: 'by SMS' });
    await contactWrites(ours, 'whatsapp:+5511912345678', { text: 'by WhatsApp' });
    await contactWrites(ours, '+15005550111', { text: 'a picture', media: [{ mimeType: 'image/png', base64: png.toString('base64') }] });
    await contactWrites(theirs, '+15005550111', { text: 'to the other' });
    for (let look = 1; look <= 2; look++) {
      laterMs = look * 2 * hourMs;
      await connector.runTask('reconcile-messages');
      await connector.handleOwn();
    }
    const said = (tenantId: TenantId) => connector.said().filter((one) => one.tenantId === tenantId) as unknown as { contact: { address: string }; content: { kind: string; text?: string; media?: { mediaKey?: string; size?: number } } }[]; // as published
    expect(said(acme).map(({ contact, content }) => [contact.address, content.kind, content.text ?? content.media?.size]).toSorted()).toEqual([['+15005550111', 'image', png.length], ['+15005550111', 'text', 'by SMS'], ['whatsapp:+5511912345678', 'text', 'by WhatsApp']]);
    expect(said(globex).map(({ content }) => content.text)).toEqual(['to the other']);
  });

  it('usage is read of one subaccount alone', async () => {
    await contactWrites(ours, '+15005550111', { text: 'a'.repeat(200) });
    await contactWrites(ours, 'whatsapp:+5511912345678', { text: 'Hi' });
    const today = new Date().toISOString().slice(0, 10);
    const usageOf = async (connection: ConnectionWithSecrets) => {
      // The cast is safe: reading asks for nothing else.
      const context = { connection, egress: createEgress({ allow: ['127.0.0.0/8'] }) } as unknown as ClientContext;
      return twilioUsageOf(await listUsage(context, { from: today, to: today }));
    };
    expect((await usageOf(ours)).byKind).toMatchObject({ sms_inbound: { count: 1, units: 2 }, whatsapp_inbound: { count: 1 }, calls_inbound: { count: 0 } });
    expect((await usageOf(ours)).totalPrice).toMatch(/^\d+\.\d+$/);
    expect((await usageOf(theirs)).byKind).toMatchObject({ sms_inbound: { count: 0, units: 0 }, whatsapp_inbound: { count: 0 } });
  });
});
