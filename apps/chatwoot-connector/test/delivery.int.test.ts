import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { isHubError, type ConnectionId, type ConnectionWithSecrets, type MessageContent } from '@switchboard/contracts';
import { createDatabase, type Database } from '@switchboard/db';
import { prepareServices, type ServiceDefinition } from '@switchboard/service-kit';
import { runAsTenant } from '@switchboard/tenant-context';
import { startTestDatabase, testRolePassword, testTenants, type TestDatabase } from '@switchboard/testing';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { service } from '../src/service.ts';
import { PrismaClient } from '../src/store/generated/client.ts';
import { startFakeChatwoot, type FakeChatwoot } from './fake-chatwoot.ts';
import { commandOf, connectionAt, startConnector, webhookOf } from './start-connector.ts';

const [acme, globex] = testTenants;

let database: TestDatabase;
let db: Database<PrismaClient>;
let mediaDir: string;
let chatwoot: FakeChatwoot;
let elsewhere: FakeChatwoot;
let connections: Map<ConnectionId, ConnectionWithSecrets>;

beforeAll(async () => {
  database = await startTestDatabase();
  // The cast drops the service's own config type.
  await prepareServices([service as unknown as ServiceDefinition], { adminUrl: database.adminUrl, driver: 'embedded', rolePassword: testRolePassword });
  db = createDatabase({ url: database.url('switchboard_chatwoot'), schema: 'chatwoot', connectionsMax: 8, createClient: (adapter) => new PrismaClient({ adapter }) });
  mediaDir = await mkdtemp(join(tmpdir(), 'switchboard-media-'));
}, 60_000);

afterAll(async () => {
  await db?.close();
  await database?.drop();
  await rm(mediaDir, { recursive: true, force: true });
});

beforeEach(async () => {
  await Promise.all([chatwoot?.close(), elsewhere?.close()]);
  chatwoot = await startFakeChatwoot({ 'token-1': 1, 'bot-1': 1 });
  elsewhere = await startFakeChatwoot({ 'token-2': 1 });
  connections = new Map();
});
afterAll(async () => {
  await Promise.all([chatwoot?.close(), elsewhere?.close()]);
});

function connect(...parameters: Parameters<typeof connectionAt>): ConnectionWithSecrets {
  const connection = connectionAt(...parameters);
  connections.set(connection.connectionId, connection);
  return connection;
}
const start = () => startConnector(db, connections, mediaDir);
const text = (words: string): MessageContent => ({ kind: 'text', text: words });
const atServer = (inboxId = '41') => ({ url: chatwoot.url, inboxId, token: 'token-1' });
const wordsIn = (server: FakeChatwoot) => server.conversations.map(({ inboxId, messages }) => ({ inboxId, words: messages.map(({ content }) => content) }));

async function failureOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return isHubError(error) ? error.code : String(error);
}

describe('contact and conversation', () => {
  it('are made once, whoever needs them at the same time, in any process', async () => {
    const connection = connect(acme, atServer());
    const hubs = [await start(), await start()];
    await Promise.all(Array.from({ length: 8 }, (_, index) => hubs[index % 2]?.handle(commandOf(connection, text(`hello ${index}`)))));
    expect(chatwoot.contacts).toHaveLength(1);
    expect(chatwoot.conversations).toHaveLength(1);
    expect(chatwoot.conversations[0]?.messages.map(({ content }) => content).toSorted()).toEqual(Array.from({ length: 8 }, (_, index) => `hello ${index}`));
    expect(hubs.flatMap((hub) => hub.statuses()).filter(({ status }) => status === 'sent')).toHaveLength(8);
    expect(chatwoot.unfit).toEqual([]);
  });

  it('of two tenants in one account are two, without a number that would make them one', async () => {
    const ours = connect(acme, atServer('41'), { mode: 'shared' });
    const theirs = connect(globex, atServer('42'), { mode: 'shared' });
    const hub = await start();
    await Promise.all([hub.handle(commandOf(ours, text('to acme'))), hub.handle(commandOf(theirs, text('to globex')))]);
    expect(chatwoot.contacts.map(({ identifier, phone_number }) => ({ identifier, phone_number })).toSorted((a, b) => String(a.identifier).localeCompare(String(b.identifier)))).toEqual([{ identifier: 'acme:5511988887777' }, { identifier: 'globex:5511988887777' }]);
    expect(wordsIn(chatwoot).toSorted((a, b) => a.inboxId - b.inboxId)).toEqual([{ inboxId: 41, words: ['to acme'] }, { inboxId: 42, words: ['to globex'] }]);
  });

  it('of two servers with the same account and inbox are not mixed up, nor after a tenant has changed its account', async () => {
    const first = connect(acme, atServer());
    const other = connect(globex, { url: elsewhere.url, inboxId: '41', token: 'token-2' });
    const hub = await start();
    await hub.handle(commandOf(first, text('one')));
    await hub.handle(commandOf(first, text('from another'), { contact: { address: '15005550123', aliases: {} } }));
    await hub.handle(commandOf(other, text('elsewhere')));
    // The same connection, with other credentials.
    connections.set(first.connectionId, { ...connectionAt(acme, { url: elsewhere.url, inboxId: '43', token: 'token-2' }), connectionId: first.connectionId, version: 2 });
    await (await start()).handle(commandOf(first, text('moved'), { contact: { address: '15005550123', aliases: {} } }));
    expect(wordsIn(chatwoot)).toEqual([{ inboxId: 41, words: ['one'] }, { inboxId: 41, words: ['from another'] }]);
    expect(wordsIn(elsewhere)).toEqual([{ inboxId: 41, words: ['elsewhere'] }, { inboxId: 43, words: ['moved'] }]);
  });

  it('are those that the account has by the contact\'s number already', async () => {
    const connection = connect(acme, atServer());
    chatwoot.contacts.push({ id: 7, accountId: 1, name: 'Ana of the CRM', phone_number: '+5511988887777', identifier: 'crm-1', inboxes: [] });
    await (await start()).handle(commandOf(connection, text('hi')));
    expect(chatwoot.contacts).toEqual([expect.objectContaining({ id: 7, inboxes: [{ inboxId: 41, sourceId: '5511988887777' }] })]);
    expect(chatwoot.conversations).toMatchObject([{ contactId: 7 }]);
  });

  it('are never what the contact has in another inbox of the account', async () => {
    const connection = connect(acme, atServer());
    chatwoot.contacts.push({ id: 7, accountId: 1, name: 'Ana of the CRM', phone_number: '+5511988887777', identifier: 'crm-1', inboxes: [{ inboxId: 40, sourceId: 'ana@mail.example' }] });
    chatwoot.conversations.push({ id: 4711, accountId: 1, inboxId: 40, contactId: 7, sourceId: 'ana@mail.example', status: 'open', assigneeId: null, labels: [], customAttributes: {}, messages: [] });
    await (await start()).handle(commandOf(connection, text('hi')));
    expect(wordsIn(chatwoot)).toEqual([{ inboxId: 40, words: [] }, { inboxId: 41, words: ['hi'] }]);
  });

  it('are made once although the answer was lost', async () => {
    const connection = connect(acme, atServer());
    chatwoot.faults.push({ path: /POST .*\/contacts$/, kind: 'lost after' }, { path: /POST .*\/conversations$/, kind: 'lost after' });
    await (await start()).handle(commandOf(connection, text('hi')));
    expect({ contacts: chatwoot.contacts.length, conversations: wordsIn(chatwoot) }).toEqual({ contacts: 1, conversations: [{ inboxId: 41, words: ['hi'] }] });
  });

  it('are made again when they were deleted at Chatwoot', async () => {
    const connection = connect(acme, atServer());
    const hub = await start();
    await hub.handle(commandOf(connection, text('before')));
    chatwoot.conversations.length = 0;
    await hub.handle(commandOf(connection, text('after')));
    expect(wordsIn(chatwoot)).toEqual([{ inboxId: 41, words: ['after'] }]);
    expect(chatwoot.contacts).toHaveLength(1);
  });

  it('are made by the next one, with what is there already, when the process that began it has died', async () => {
    const connection = connect(acme, atServer());
    const hub = await start();
    // It got as far as the contact.
    chatwoot.contacts.push({ id: 7, accountId: 1, name: 'Ana', phone_number: undefined, identifier: 'acme:5511988887777', inboxes: [{ inboxId: 41, sourceId: '5511988887777' }] });
    await runAsTenant(acme, () => db.transaction(() => db.sql.query(`insert into threads (tenant_id, inbox_key, address, claimed_by, claimed_until) values ('acme', $1, '5511988887777', 'dead', now() - interval '1 second')`, [connection.routingIdentifiers['inbox']])));
    await hub.handle(commandOf(connection, text('hi')));
    expect({ contacts: chatwoot.contacts.length, conversations: wordsIn(chatwoot) }).toEqual({ contacts: 1, conversations: [{ inboxId: 41, words: ['hi'] }] });
  });

  it('wait for the account, when the inbox is gone', async () => {
    const connection = connect(acme, atServer());
    chatwoot.faults.push({ path: /POST .*\/conversations$/, kind: 'refused', status: 404 });
    const hub = await start();
    expect(await failureOf(hub.handle(commandOf(connection, text('hi'))))).toBe('provider.not_found');
    expect(hub.statuses()).toEqual([]);
  });
});

describe('a message whose answer was lost', () => {
  it.each([
    ['written once when Chatwoot had taken it', 'lost after'],
    ['written when Chatwoot had not', 'lost before'],
  ] as const)('is %s', async (_name, kind) => {
    const connection = connect(acme, atServer());
    const hub = await start();
    await hub.handle(commandOf(connection, text('first')));
    const event = commandOf(connection, text('once'));
    chatwoot.faults.push({ path: /messages$/, kind });
    expect(await failureOf(hub.handle(event))).toBe('egress.failed');
    await hub.handle(event);
    const [conversation] = chatwoot.conversations;
    expect(conversation?.messages.map(({ content }) => content)).toEqual(['first', 'once']);
    expect(hub.statuses().at(-1)).toMatchObject({ status: 'sent', providerMessageId: String(conversation?.messages[1]?.id), providerConversationId: '1' });
  });

  it('is written once although the process that wrote it died', async () => {
    const connection = connect(acme, atServer());
    const event = commandOf(connection, text('once'));
    await expect((await start()).handle(event, { dies: true })).rejects.toThrow('killed');
    const restarted = await start();
    await restarted.handle(event);
    expect(wordsIn(chatwoot)).toEqual([{ inboxId: 41, words: ['once'] }]);
    expect(restarted.statuses()).toMatchObject([{ status: 'sent', providerMessageId: String(chatwoot.conversations[0]?.messages[0]?.id) }]);
  });

  it('is written once although another process has it too, while a slow server is still at it', async () => {
    const connection = connect(acme, atServer());
    const hubs = [await start(), await start()];
    const event = commandOf(connection, text('once'));
    let goOn: () => void = () => undefined;
    chatwoot.faults.push({ path: /POST .*messages$/, kind: 'slow', until: new Promise((resolve) => { goOn = resolve; }) });
    const first = hubs[0]?.handle(event);
    while (chatwoot.faults.length > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await failureOf(hubs[1]?.handle(event) ?? Promise.resolve())).toBe('service.unavailable');
    goOn();
    await first;
    await hubs[1]?.handle(event);
    expect(wordsIn(chatwoot)).toEqual([{ inboxId: 41, words: ['once'] }]);
  });

  it('waits for the minute to end when the account is throttled, and so does every tenant\'s in it, and nobody else\'s', async () => {
    const ours = connect(acme, atServer('41'), { mode: 'shared' });
    const theirs = connect(globex, atServer('42'), { mode: 'shared' });
    const far = connect(globex, { url: elsewhere.url, inboxId: '41', token: 'token-2' });
    const hub = await start();
    chatwoot.faults.push({ path: /filter$/, kind: 'refused', status: 429, body: 'Retry later\n' });
    expect(await failureOf(hub.handle(commandOf(ours, text('one'))))).toBe('provider.throttled');
    const before = chatwoot.requests.length;
    expect(await failureOf(hub.handle(commandOf(theirs, text('two'))))).toBe('provider.throttled');
    expect(chatwoot.requests).toHaveLength(before);
    await hub.handle(commandOf(far, text('three')));
    expect(wordsIn(elsewhere)).toEqual([{ inboxId: 41, words: ['three'] }]);
  });
});

describe('a handoff', () => {
  it('tells the agents why, opens, labels and assigns, and takes nothing away that was there', async () => {
    const connection = connect(acme, { ...atServer(), botToken: 'bot-1' }, { role: 'channel' });
    const hub = await start();
    const content: MessageContent = { kind: 'handoff', to: 'desk', reason: 'asked for a person', summary: 'Parcel 123', assignment: { agentId: '12', labels: ['billing'], attributes: { language: 'pt' } } };
    await hub.handle(commandOf(connection, content, { author: 'system' }));
    expect(chatwoot.conversations).toMatchObject([{ status: 'open', labels: ['vip', 'billing'], customAttributes: { plan: 'gold', language: 'pt' }, assigneeId: 12, messages: [{ private: true, message_type: 1, token: 'bot-1', content: 'Handed over: asked for a person\n\nParcel 123' }] }]);
    expect(hub.published).toEqual([]);
    expect(chatwoot.unfit).toEqual([]);
  });

  it('back by an agent is heard, and what the hub did itself is not', async () => {
    const connection = connect(acme, atServer(), { role: 'channel', settings: { botId: '3' } });
    const hub = await start();
    const status = (value: string, at: number) => webhookOf(connection, { event: 'conversation_status_changed', id: 1, inbox_id: 41, status: value, account: { id: 1 }, contact_inbox: { inbox_id: 41, source_id: '5511988887777' }, meta: {}, updated_at: at });
    await hub.handle(commandOf(connection, { kind: 'handoff', to: 'desk', reason: 'asked for a person' }, { author: 'system' }));
    await hub.handle(status('open', 1_783_077_911));
    expect(hub.said()).toEqual([]);
    await hub.handle(status('resolved', 1_783_077_999));
    expect(hub.said()).toMatchObject([{ role: 'channel', author: 'agent', contact: { address: '5511988887777' }, content: { kind: 'handoff', to: 'bot' } }]);
    // An agent changes their mind, a minute after the hub itself had opened it.
    await hub.handle(status('open', 1_783_078_009));
    expect(hub.said()).toMatchObject([{}, { author: 'agent', content: { kind: 'handoff', to: 'desk' } }]);
  });
});

describe('a message that was received', () => {
  const fromContact = (connection: ConnectionWithSecrets, more: object = {}) =>
    webhookOf(connection, { event: 'message_created', id: 500, account: { id: 1 }, inbox: { id: 41 }, message_type: 'incoming', content: 'Olá', content_type: 'text', content_attributes: {}, private: false, created_at: '2026-07-03T11:20:05.412Z', sender: { id: 3, name: 'Ana' }, conversation: { id: 88, inbox_id: 41, contact_inbox: { inbox_id: 41, source_id: 'visitor-1', pubsub_token: 'live-credential' }, meta: { sender: { name: 'Ana' } } }, ...more });

  it('teaches where to answer: in its own conversation, without any look-up, of this tenant alone', async () => {
    const connection = connect(acme, atServer(), { role: 'channel' });
    const theirs = connect(globex, atServer(), { role: 'channel' });
    const hub = await start();
    chatwoot.conversations.push({ id: 88, accountId: 1, inboxId: 41, contactId: 3, sourceId: 'visitor-1', status: 'pending', assigneeId: null, labels: [], customAttributes: {}, messages: [] });
    await hub.handle(fromContact(connection));
    expect(hub.said()).toMatchObject([{ author: 'contact', providerMessageId: '500', providerConversationId: '88', contact: { address: 'visitor-1', name: 'Ana' } }]);
    expect(JSON.stringify(hub.published)).not.toContain('live-credential');
    await hub.handle(commandOf(connection, text('Hello'), { author: 'bot', contact: { address: 'visitor-1', aliases: {} } }));
    expect(chatwoot.requests).toEqual(['POST /api/v1/accounts/1/conversations/88/messages']);
    expect(hub.statuses()).toMatchObject([{ status: 'sent', providerConversationId: '88' }]);
    // What one tenant learnt is not another's.
    const known = await runAsTenant(theirs.tenantId, () => db.transaction(() => db.sql.query('select address from threads')));
    expect(known.filter((row) => (row as { address: string }).address === 'visitor-1')).toEqual([]);
  });

  it('brings its files along, over the server\'s redirect and without the token, and they can go out again as a form', async () => {
    const connection = connect(acme, atServer(), { role: 'channel' });
    const hub = await start();
    await hub.handle(fromContact(connection, { attachments: [{ id: 1, file_type: 'image', data_url: `${chatwoot.url}/rails/blob/photo.png` }] }));
    const [{ content } = { content: undefined }] = hub.said() as { content?: MessageContent }[]; // of the catalogue's form
    expect(content).toMatchObject({ kind: 'image', media: { mimeType: 'image/png', fileName: 'photo.png', caption: 'Olá', size: 'file without token'.length } });
    const desk = connect(acme, atServer('42'));
    await hub.handle(commandOf(desk, content as MessageContent)); // matched in the line before
    expect(chatwoot.conversations[0]?.messages).toMatchObject([{ content: 'Olá', message_type: 0, files: ['photo.png: file without token'] }]);
    expect(chatwoot.unfit).toEqual([]);
  });
});

describe('what was begun long ago', () => {
  it('is forgotten after sixty days, of every tenant, and nothing younger is', async () => {
    const ours = connect(acme, atServer('51'));
    const theirs = connect(globex, atServer('52'));
    const hub = await start();
    await hub.handle(commandOf(ours, text('a')));
    await hub.handle(commandOf(theirs, text('b')));
    const count = async () => {
      const counts = [];
      for (const tenantId of testTenants) counts.push(await runAsTenant(tenantId, () => db.transaction(() => db.sql.query('select hub_ref from posts where inbox_key like $1', ['%/1/5_']))));
      return counts.map(({ length }) => length);
    };
    await hub.runTasks();
    expect(await count()).toEqual([1, 1]);
    for (const tenantId of testTenants) await runAsTenant(tenantId, () => db.transaction(() => db.sql.query(`update posts set tried_at = now() - interval '61 days'`)));
    await hub.runTasks();
    expect(await count()).toEqual([0, 0]);
  });
});
