import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ConnectionId, ConnectionWithSecrets, MessageContent } from '@switchboard/contracts';
import { createDatabase, type Database } from '@switchboard/db';
import { prepareServices, type ServiceDefinition } from '@switchboard/service-kit';
import { startTestDatabase, testRolePassword, testTenants, type TestDatabase } from '@switchboard/testing';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { service } from '../src/service.ts';
import { PrismaClient } from '../src/store/generated/client.ts';
import { startSandbox, type Sandbox } from './moves/start-sandbox.ts';
import { commandOf, connectionAt, startConnector, webhookOf } from './start-connector.ts';

const [acme, globex] = testTenants;

type Inbox = { readonly inboxId: string; readonly inbox_identifier?: string };
type Account = { readonly server: string; readonly accountId: string; readonly apiUrl: string; readonly credentials: { readonly apiToken: string }; readonly agents: readonly { readonly id: number; readonly email: string }[] };
type Seen = { readonly conversationId: string; readonly status: string; readonly labels: readonly string[]; readonly assigneeId?: number | null; readonly messages: readonly { readonly id: string; readonly type: string; readonly text: string | null; readonly private: boolean; readonly status?: string; readonly attachments: readonly { readonly base64: string }[] }[] };

let sandbox: Sandbox;
let database: TestDatabase;
let db: Database<PrismaClient>;
let mediaDir: string;
let receiver: Server;
let account: Account;
const webhooks: { readonly inbox: string; readonly body: Record<string, unknown> }[] = [];
const connections = new Map<ConnectionId, ConnectionWithSecrets>();

beforeAll(async () => {
  [sandbox, database] = await Promise.all([startSandbox(), startTestDatabase()]);
  // The cast drops the service's own config type.
  await prepareServices([service as unknown as ServiceDefinition], { adminUrl: database.adminUrl, driver: 'embedded', rolePassword: testRolePassword });
  db = createDatabase({ url: database.url('switchboard_chatwoot'), schema: 'chatwoot', connectionsMax: 4, createClient: (adapter) => new PrismaClient({ adapter }) });
  mediaDir = await mkdtemp(join(tmpdir(), 'switchboard-media-'));
  receiver = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    webhooks.push({ inbox: request.url ?? '', body: JSON.parse(body) as Record<string, unknown> }); // Chatwoot's webhooks are objects
    response.writeHead(200).end();
  });
  await new Promise<void>((resolve) => {
    receiver.listen(0, '127.0.0.1', resolve);
  });
  account = await sandbox.ask<Account>('POST', '/accounts', { name: 'Platform', agents: ['Bruno'] });
}, 60_000);

afterAll(async () => {
  sandbox?.stop();
  receiver?.closeAllConnections();
  receiver?.close();
  await db?.close();
  await database?.drop();
  await rm(mediaDir, { recursive: true, force: true });
});

const here = () => `/${account.server}/accounts/${account.accountId}`;

async function connect(tenantId: typeof acme, role: 'desk' | 'channel'): Promise<ConnectionWithSecrets> {
  const { port } = receiver.address() as AddressInfo; // it listens on TCP
  const path = `/${tenantId}-${role}`;
  const inbox = await sandbox.ask<Inbox>('POST', `${here()}/inboxes`, { type: 'api', name: tenantId, webhookUrl: `http://127.0.0.1:${port}${path}` });
  const connection = connectionAt(tenantId, { url: account.apiUrl, accountId: account.accountId, inboxId: inbox.inboxId, token: account.credentials.apiToken }, { role, mode: 'shared', settings: { webhookPath: path, ...(inbox.inbox_identifier === undefined ? {} : { inboxIdentifier: inbox.inbox_identifier }) } });
  connections.set(connection.connectionId, connection);
  // In acme's inbox sits the account's first agent, in globex' nobody.
  const members = { inbox_id: Number(inbox.inboxId), user_ids: tenantId === acme ? account.agents.map(({ id }) => id) : [] };
  const answer = await fetch(`${account.apiUrl}/api/v1/accounts/${account.accountId}/inbox_members`, { method: 'POST', headers: { 'api-access-token': account.credentials.apiToken, 'content-type': 'application/json' }, body: JSON.stringify(members) });
  expect(answer.status).toBe(200);
  return connection;
}

/** What Chatwoot has told of an inbox since the last time, given to the connector. */
async function take(hub: Awaited<ReturnType<typeof startConnector>>, connection: ConnectionWithSecrets) {
  const before = hub.said().length;
  const own = webhooks.filter(({ inbox }) => inbox === connection.settings['webhookPath']);
  for (const webhook of own) webhooks.splice(webhooks.indexOf(webhook), 1);
  for (const { body } of own) await hub.handle(webhookOf(connection, body));
  return { heard: own.length, said: hub.said().slice(before) };
}

async function conversationOf(connection: ConnectionWithSecrets): Promise<Seen> {
  const { data } = await sandbox.ask<{ data: (Seen & { inboxId: string })[] }>('GET', `${here()}/conversations`);
  return data.find(({ inboxId }) => String(inboxId) === connection.settings['inboxId']) as Seen; // made by the test
}

const text = (words: string): MessageContent => ({ kind: 'text', text: words });

describe('a conversation mirrored at a desk', () => {
  it('of an account that tenants share is assigned to nobody who does not sit in the tenant\'s inbox, by number or by address', async () => {
    const theirs = await connect(globex, 'desk');
    const hub = await startConnector(db, connections, mediaDir);
    await hub.handle(commandOf(theirs, text('of globex')));
    for (const agentId of [account.agents[0]?.email ?? '', String(account.agents[0]?.id), 'nobody@desk.example']) {
      await hub.handle(commandOf(theirs, { kind: 'handoff', to: 'desk', reason: 'asked for a person', transcript: [], assignment: { agentId } }, { author: 'system' }));
    }
    const found = await conversationOf(theirs);
    expect(found.messages.filter((message) => message.private)).toHaveLength(3);
    expect(JSON.stringify(found)).toContain('"assignee":null');
  });

  it('goes there and comes back, without an echo, notes or what is another tenant\'s', async () => {
    const [desk, theirs] = [await connect(acme, 'desk'), await connect(globex, 'desk')];
    const hub = await startConnector(db, connections, mediaDir);
    await hub.handle(commandOf(desk, text('Where is <my> parcel?')));
    await hub.handle(commandOf(theirs, text('of globex')));
    await hub.handle(commandOf(desk, { kind: 'handoff', to: 'desk', reason: 'asked for a person', transcript: [], assignment: { agentId: account.agents[0]?.email ?? '', labels: ['billing'] } }, { author: 'system' }));
    const echoes = await take(hub, desk);
    expect(echoes.heard).toBeGreaterThan(2);
    expect(echoes.said).toEqual([]);

    const seen = await conversationOf(desk);
    expect(seen).toMatchObject({ status: 'open', labels: ['billing'] });
    expect(seen.messages.filter(({ type }) => type !== 'activity')).toMatchObject([{ type: 'incoming', text: 'Where is <my> parcel?', private: false }, { private: true, text: 'Handed over: asked for a person' }]);

    const conversation = `${here()}/conversations/${seen.conversationId}`;
    const { messageId } = await sandbox.ask<{ messageId: string }>('POST', `${conversation}/reply`, { text: 'On its way & soon', attachments: [{ mimeType: 'image/png', base64: Buffer.from('a picture').toString('base64'), fileName: 'map.png' }] });
    await sandbox.ask('POST', `${conversation}/reply`, { text: 'he is angry', private: true });
    const answers = await take(hub, desk);
    expect(answers.said).toMatchObject([{ role: 'desk', author: 'agent', providerMessageId: messageId, contact: { address: '5511988887777' }, content: { kind: 'image', media: { caption: 'On its way & soon', size: 'a picture'.length, mimeType: 'image/png' } } }]);

    await hub.handle(commandOf(desk, { kind: 'receipt', providerMessageId: messageId, status: 'read' }));
    expect((await conversationOf(desk)).messages.find(({ id }) => String(id) === messageId)).toMatchObject({ status: 'read' });

    await sandbox.ask('POST', `${conversation}/status`, { status: 'resolved' });
    expect((await take(hub, desk)).said).toMatchObject([{ author: 'agent', content: { kind: 'handoff', to: 'bot' } }]);
    // The contact writes again: the same conversation, opened by that and by nobody else.
    await hub.handle(commandOf(desk, text('one more thing')));
    expect((await take(hub, desk)).said).toEqual([]);
    expect(await conversationOf(desk)).toMatchObject({ conversationId: seen.conversationId, status: 'open' });
    expect((await take(hub, theirs)).said).toEqual([]);
  }, 60_000);
});

describe('an inbox as a channel', () => {
  it('brings what contacts and its own agents say, and takes answers, into one conversation', async () => {
    const channel = await connect(acme, 'channel');
    const hub = await startConnector(db, connections, mediaDir);
    const { conversationId } = await sandbox.ask<{ conversationId: string }>('POST', `${here()}/inboxes/${channel.settings['inboxId']}/receive`, { from: 'visitor-1', name: 'Ana', text: 'Olá' });
    expect((await take(hub, channel)).said).toMatchObject([{ role: 'channel', author: 'contact', providerConversationId: conversationId, contact: { address: 'visitor-1', name: 'Ana' }, content: { kind: 'text', text: 'Olá' } }]);

    await hub.handle(commandOf(channel, text('I am {{bot}}'), { author: 'bot', contact: { address: 'visitor-1', aliases: {} } }));
    await sandbox.ask('POST', `${here()}/conversations/${conversationId}/reply`, { text: 'Bruno here' });
    expect((await take(hub, channel)).said).toMatchObject([{ author: 'agent', content: { kind: 'text', text: 'Bruno here' } }]);
    const { messages } = await conversationOf(channel);
    expect(messages.filter(({ type }) => type !== 'activity').map((message) => message.text)).toEqual(['Olá', 'I am {\u2060{bot}}', 'Bruno here']);

    await sandbox.ask('POST', `${here()}/conversations/${conversationId}/assign`, { agentId: account.agents[0]?.id });
    expect((await take(hub, channel)).said).toMatchObject([{ content: { kind: 'handoff', to: 'desk' } }]);
  }, 60_000);
});
