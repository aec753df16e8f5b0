import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ConnectionId, ConnectionWithSecrets, MessageContent, TenantId } from '@switchboard/contracts';
import { createDatabase, type Database } from '@switchboard/db';
import { prepareServices } from '@switchboard/service-kit';
import { startSandbox, type SandboxProcess } from '@switchboard/service-kit/testing';
import { startTestDatabase, testRolePassword, testTenants, type TestDatabase } from '@switchboard/testing';
import { tmpdir } from 'node:os';
import { service } from '../src/service.ts';
import { PrismaClient } from '../src/store/generated/client.ts';
import { commandOf, connectionAt, startConnector, webhookOf } from './start-connector.ts';

const [acme, globex] = testTenants;

let database: TestDatabase;
let db: Database<PrismaClient>;
let sandbox: SandboxProcess;
let connections: Map<ConnectionId, ConnectionWithSecrets>;

type Sent = { readonly sid: string; readonly to: string; readonly from: string; readonly body: string; readonly status: string; readonly numMedia?: number };

beforeAll(async () => {
  database = await startTestDatabase();
  await prepareServices([service], { adminUrl: database.adminUrl, driver: 'embedded', rolePassword: testRolePassword });
  db = createDatabase({ url: database.url('switchboard_twilio'), schema: 'twilio', connectionsMax: 6, createClient: (adapter) => new PrismaClient({ adapter }) });
  sandbox = await startSandbox();
}, 60_000);

afterAll(async () => {
  sandbox?.stop();
  await db?.close();
  await database?.drop();
});

beforeEach(() => {
  connections = new Map();
});

/** A subaccount as the sandbox makes it, and the connection that a tenant makes of it. */
async function connect(tenantId: TenantId, more: object = {}): Promise<ConnectionWithSecrets> {
  const { credentials } = await sandbox.ask<{ credentials: { accountSid: string; authToken: string; phoneNumber: string; messagingServiceSid?: string } }>('POST', '/twilio/tenants', { receipts: 'none', ...more });
  const { accountSid, authToken, phoneNumber, messagingServiceSid } = credentials;
  const connection: ConnectionWithSecrets = {
    ...connectionAt(tenantId, `${sandbox.url}/twilio`, { settings: { accountSid, phoneNumber, ...(messagingServiceSid === undefined ? {} : { messagingServiceSid }) } }),
    routingIdentifiers: { sender: `${accountSid}/${phoneNumber}`, accountSid, account: accountSid },
    credentials: { authToken },
  };
  connections.set(connection.connectionId, connection);
  return connection;
}

const accountOf = (connection: ConnectionWithSecrets) => connection.routingIdentifiers['accountSid'] ?? '';
const sentBy = async (connection: ConnectionWithSecrets) => (await sandbox.ask<{ data: Sent[] }>('GET', `/twilio/accounts/${accountOf(connection)}/messages?direction=outbound-api`)).data;
const contactWrites = (connection: ConnectionWithSecrets, from: string, more: object = {}) =>
  sandbox.ask<{ messageSid: string }>('POST', `/twilio/accounts/${accountOf(connection)}/receive`, { from, to: from.startsWith('whatsapp:') ? `whatsapp:${connection.settings['phoneNumber']}` : connection.settings['phoneNumber'], text: 'Hello', ...more });
const text = (words: string): MessageContent => ({ kind: 'text', text: words });

describe('at the stand-in, which holds every request to Twilio\'s description', () => {
  it('each tenant\'s messages go out from its own subaccount, by SMS, MMS and WhatsApp', async () => {
    const [ours, theirs] = [await connect(acme), await connect(globex, { messagingService: true })];
    const hub = await startConnector(db, connections, tmpdir());
    for (const connection of [ours, theirs]) {
      await contactWrites(connection, 'whatsapp:+5511912345678');
      await hub.handle(commandOf(connection, text(`WhatsApp of ${connection.tenantId}`)));
      await hub.handle(commandOf(connection, text(`SMS of ${connection.tenantId}`), { contact: { address: '+15005550111', aliases: {} } }));
    }
    expect(hub.statuses().map(({ status }) => status)).toEqual(['sent', 'sent', 'sent', 'sent']);
    for (const connection of [ours, theirs]) {
      const sent = await sentBy(connection);
      expect(sent.map(({ to, body }) => [to, body]).toSorted()).toEqual([['+15005550111', `SMS of ${connection.tenantId}`], ['whatsapp:+5511912345678', `WhatsApp of ${connection.tenantId}`]]);
    }
  });

  it('a question has a content, which the next one finds, and typing and a place are shown', async () => {
    const connection = await connect(acme);
    await contactWrites(connection, 'whatsapp:+5511912345678');
    const question: MessageContent = { kind: 'choice', text: 'Confirm?', options: [{ id: 'yes', title: 'Yes' }, { id: 'no', title: 'No' }] };
    const hub = await startConnector(db, connections, tmpdir());
    await hub.handle(commandOf(connection, question));
    await (await startConnector(db, connections, tmpdir())).handle(commandOf(connection, question));
    await hub.handle(commandOf(connection, { kind: 'location', latitude: -23.55, longitude: -46.63, name: 'Cafe Azul' }));
    expect((await sentBy(connection)).map(({ body }) => body).toSorted()).toEqual(['Cafe Azul', 'Confirm?', 'Confirm?']);
    const { contents } = await sandbox.ask<{ contents: unknown[] }>('GET', `/twilio/accounts/${accountOf(connection)}`);
    expect(contents).toHaveLength(1);
  });

  it('a template goes by its name and language, outside the window too', async () => {
    const connection = await connect(acme);
    await sandbox.ask('POST', `/twilio/accounts/${accountOf(connection)}/contents`, { friendlyName: 'order_ready', language: 'pt_BR', variables: { 1: 'x' }, types: { 'twilio/text': { body: 'Pedido {{1}} pronto' } } });
    const hub = await startConnector(db, connections, tmpdir());
    await hub.handle(commandOf(connection, { kind: 'template', name: 'order_ready', language: 'pt-BR', components: [{ 1: 'A-17' }] }));
    await hub.handle(commandOf(connection, { kind: 'template', name: 'unknown', language: 'pt-BR', components: [] }));
    expect((await sentBy(connection)).map(({ body }) => body)).toEqual(['Pedido A-17 pronto']);
    expect(hub.statuses()).toMatchObject([{ status: 'sent' }, { status: 'failed', error: { message: expect.stringContaining('no content template "unknown"') } }]);
  });

  it('a suspended subaccount holds its tenant\'s messages, and a wrong token is a matter of the account', async () => {
    const [ours, theirs] = [await connect(acme), await connect(globex)];
    const hub = await startConnector(db, connections, tmpdir());
    await sandbox.ask('PATCH', `/twilio/accounts/${accountOf(ours)}`, { status: 'suspended' });
    connections.set(theirs.connectionId, { ...theirs, credentials: { authToken: 'not the token' } });
    const bySms = { contact: { address: '+15005550111', aliases: {} } };
    await expect(hub.handle(commandOf(ours, text('wait'), bySms))).rejects.toMatchObject({ retry: { counted: false }, detail: { scope: 'account' } });
    await expect(hub.handle(commandOf(theirs, text('wait'), bySms))).rejects.toMatchObject({ code: 'provider.unauthorized', retry: { counted: false } });
    expect([...(await sentBy(ours)), ...(await sentBy(theirs))]).toEqual([]);
  });

  it('files of contacts are fetched with the subaccount\'s credentials, where it asks for them', async () => {
    const connection = await connect(acme, { mediaAuth: true });
    const { messageSid } = await contactWrites(connection, '+15005550111', { media: [{ mimeType: 'image/jpeg', base64: Buffer.from('a picture').toString('base64') }] });
    const mediaUrl = `${sandbox.url}/twilio/2010-04-01/Accounts/${accountOf(connection)}/Messages/${messageSid}/Media`;
    const authorization = `Basic ${Buffer.from(`${accountOf(connection)}:${connection.credentials['authToken']}`).toString('base64')}`;
    const { media_list: [file] } = (await (await fetch(`${mediaUrl}.json`, { headers: { authorization } })).json()) as { media_list: { sid: string }[] }; // as Twilio lists them
    expect((await fetch(`${mediaUrl}/${file?.sid}`)).status).toBe(401);
    const hub = await startConnector(db, connections, tmpdir());
    await hub.handle(webhookOf(connection, 'message', { AccountSid: accountOf(connection), MessageSid: messageSid, From: '+15005550111', NumMedia: '1', MediaUrl0: `${mediaUrl}/${file?.sid}`, MediaContentType0: 'image/jpeg' }));
    expect(hub.said()).toMatchObject([{ content: { kind: 'image', media: { size: 9 } } }]);
  });
});
