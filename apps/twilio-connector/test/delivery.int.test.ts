import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ConnectionId, ConnectionWithSecrets, Envelope, MessageContent, MessageSend, TenantId } from '@switchboard/contracts';
import { createDatabase, type Database } from '@switchboard/db';
import { prepareServices } from '@switchboard/service-kit';
import { startTestDatabase, testRolePassword, testTenants, type TestDatabase } from '@switchboard/testing';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { service } from '../src/service.ts';
import { PrismaClient } from '../src/store/generated/client.ts';
import { startFakeTwilio, type FakeTwilio } from './fake-twilio.ts';
import { accountSidOf, commandOf, connectionAt, phoneNumber, startConnector, webhookOf } from './start-connector.ts';
import { twilioError } from './refusals.ts';

const [acme, globex] = testTenants;

let database: TestDatabase;
let db: Database<PrismaClient>;
let twilio: FakeTwilio;
let mediaDir: string;
let connections: Map<ConnectionId, ConnectionWithSecrets>;

beforeAll(async () => {
  database = await startTestDatabase();
  await prepareServices([service], { adminUrl: database.adminUrl, driver: 'embedded', rolePassword: testRolePassword });
  db = createDatabase({ url: database.url('switchboard_twilio'), schema: 'twilio', connectionsMax: 6, createClient: (adapter) => new PrismaClient({ adapter }) });
  twilio = await startFakeTwilio();
  mediaDir = await mkdtemp(join(tmpdir(), 'switchboard-media-'));
}, 60_000);

afterAll(async () => {
  await twilio?.close();
  await db?.close();
  await database?.drop();
  await rm(mediaDir, { recursive: true, force: true });
});

beforeEach(() => {
  twilio.reset();
  connections = new Map();
});

function connect(tenantId: TenantId, more: Parameters<typeof connectionAt>[2] = {}): ConnectionWithSecrets {
  const connection = connectionAt(tenantId, twilio.url, more);
  connections.set(connection.connectionId, connection);
  return connection;
}

const start = () => startConnector(db, connections, mediaDir);
const basic = (username: string, password: string) => `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
const text = (words: string): MessageContent => ({ kind: 'text', text: words });
/** Two messages at Twilio. */
const longText = text(`${'first '.repeat(200)}\n\n${'second '.repeat(150)}`);
const question: MessageContent = { kind: 'choice', text: 'Confirm?', options: [{ id: 'yes', title: 'Yes' }, { id: 'no', title: 'No' }] };
const bySms = { contact: { address: '+15005550111', aliases: {} } };
const refused = (code: number, status = 400) => ({ status, body: twilioError(code, status) });
const messageIdOf = (event: Envelope) => (event.payload as MessageSend).messageId;

/** A status callback as Twilio makes it of the address that it was given. */
function callback(connection: ConnectionWithSecrets, sid: string, status: string, statusCallback: string, more: object = {}): Envelope {
  const { searchParams } = new URL(statusCallback);
  return webhookOf(connection, 'status', { MessageSid: sid, MessageStatus: status, From: `whatsapp:${phoneNumber}`, To: 'whatsapp:+5511912345678', ...more }, { m: searchParams.get('m') });
}

describe('delivering', () => {
  it('sends each tenant\'s message in its own subaccount, with its own token, although both have the same number', async () => {
    const [ours, theirs] = [connect(acme), connect(globex)];
    const hub = await start();
    await hub.handle(commandOf(ours, text('from acme')));
    await hub.handle(commandOf(theirs, text('from globex')));
    expect(twilio.requests.map(({ path, authorization, fields }) => ({ path, authorization, body: fields['Body'], from: fields['From'] }))).toEqual(
      ([[acme, 'from acme'], [globex, 'from globex']] as const).map(([tenantId, body]) => ({
        path: `/2010-04-01/Accounts/${accountSidOf(tenantId)}/Messages.json`, authorization: basic(accountSidOf(tenantId), `token-of-${tenantId}`), body, from: `whatsapp:${phoneNumber}`,
      })),
    );
    expect(hub.statuses()).toMatchObject([{ status: 'sent', connectionId: ours.connectionId, providerMessageId: expect.stringMatching(/^SM/) }, { status: 'sent', connectionId: theirs.connectionId }]);
  });

  it('sends with the API key where there is one, and SMS by the messaging service', async () => {
    const apiKeySid = `SK${'d'.repeat(32)}`;
    const messagingServiceSid = `MG${'c'.repeat(32)}`;
    const connection = connect(acme, { settings: { apiKeySid, messagingServiceSid }, credentials: { apiKeySecret: 'secret-of-the-key' } });
    const hub = await start();
    await hub.handle(commandOf(connection, text('by SMS'), bySms));
    await hub.handle(commandOf(connection, text('by WhatsApp')));
    expect(new Set(twilio.requests.map(({ authorization }) => authorization))).toEqual(new Set([basic(apiKeySid, 'secret-of-the-key')]));
    expect(twilio.messages()).toMatchObject([{ To: '+15005550111', MessagingServiceSid: messagingServiceSid }, { To: 'whatsapp:+5511912345678', From: `whatsapp:${phoneNumber}` }]);
    expect(twilio.messages()[0]).not.toHaveProperty('From');
  });

  it('refuses what a connection has no channel for, without a call', async () => {
    const hub = await start();
    await hub.handle(commandOf(connect(acme, { settings: { channels: 'sms' } }), text('hello')));
    expect(twilio.requests).toEqual([]);
    expect(hub.statuses()).toMatchObject([{ status: 'failed', error: { code: 'message.unsupported_content', message: expect.stringContaining('WhatsApp is not connected') } }]);
  });

  it('sends the parts of a message in their order, each with our id and its number', async () => {
    const connection = connect(acme);
    const command = commandOf(connection, longText);
    await (await start()).handle(command);
    expect(twilio.messages().map(({ Body, StatusCallback }) => [Body?.slice(0, 6), StatusCallback])).toEqual(
      ['first ', 'second'].map((words, part) => [words, `https://hub.example.net/webhooks/twilio/${connection.connectionId}/status?account=${accountSidOf(acme)}&m=${messageIdOf(command)}.${part}#rc=3&rp=all`]),
    );
  });

  it('goes on with the part that failed, and never repeats the parts before it', async () => {
    const connection = connect(acme);
    const command = commandOf(connection, longText);
    twilio.answers.push({ status: 201, body: { sid: `SM${'1'.repeat(32)}` } }, refused(20429, 429));
    await expect((await start()).handle(command)).rejects.toMatchObject({ code: 'provider.throttled', retry: 'later' });
    await (await start()).handle(command, { attempt: 2 });
    expect(twilio.messages().map(({ Body }) => Body?.slice(0, 6))).toEqual(['first ', 'second', 'second']);
  });

  it('says of a message whose contact sent STOP between its parts how much of it was sent', async () => {
    const connection = connect(acme);
    const contact = { contact: { address: '+15005550178', aliases: {} } };
    const command = commandOf(connection, longText, contact);
    const hub = await start();
    twilio.answers.push({ status: 201, body: { sid: `SM${'1'.repeat(32)}` } }, refused(20429, 429));
    await expect(hub.handle(command)).rejects.toMatchObject({ code: 'provider.throttled' });
    await hub.handle(webhookOf(connection, 'message', { MessageSid: `SM${'8'.repeat(32)}`, From: '+15005550178', To: phoneNumber, Body: 'STOP', NumMedia: '0' }));
    await hub.handle(command, { attempt: 2 });
    expect(hub.statuses()).toMatchObject([{ status: 'failed', error: { code: 'message.opted_out', message: expect.stringMatching(/^The first 1 of 2 parts were sent, then: /) } }]);
  });

  it('does not send again what was being sent when the process died', async () => {
    const command = commandOf(connect(acme), text('once at most'));
    await expect((await start()).handle(command, { dies: true })).rejects.toThrow('killed');
    const restarted = await start();
    await restarted.handle(command, { attempt: 2 });
    expect(twilio.messages()).toHaveLength(1);
    expect(restarted.statuses()).toMatchObject([{ status: 'failed', error: { code: 'delivery.outcome_unknown' } }]);
  });

  it('says that nobody knows what became of it, too, when its contact has sent STOP, or its connection was switched off, before it is looked at again', async () => {
    const [stopped, switchedOff] = [connect(acme), connect(globex)];
    const contact = { contact: { address: '+15005550177', aliases: {} } };
    const [first, second] = [commandOf(stopped, text('once at most'), contact), commandOf(switchedOff, text('once at most'), contact)];
    for (const command of [first, second]) await expect((await start()).handle(command, { dies: true })).rejects.toThrow('killed');
    const restarted = await start();
    await restarted.handle(webhookOf(stopped, 'message', { MessageSid: `SM${'7'.repeat(32)}`, From: '+15005550177', To: phoneNumber, Body: 'STOP', NumMedia: '0' }));
    connections.set(switchedOff.connectionId, { ...switchedOff, status: 'disabled' });
    for (const command of [first, second]) await restarted.handle(command, { attempt: 2 });
    await restarted.handle(commandOf(stopped, text('not any more'), contact));
    expect(restarted.statuses().map(({ error }) => error)).toMatchObject([{ code: 'delivery.outcome_unknown' }, { code: 'delivery.outcome_unknown' }, { code: 'message.opted_out' }]);
    expect(twilio.messages()).toHaveLength(2);
  });

  it('counts a message as sent that Twilio took with an answer that nobody can read, and does not send it again', async () => {
    const hub = await start();
    twilio.answers.push({ status: 201, body: Buffer.from('<html>Created</html>') });
    await hub.handle(commandOf(connect(acme), text('taken')));
    expect(hub.statuses()).toMatchObject([{ status: 'sent' }]);
    expect(twilio.messages()).toHaveLength(1);
  });

  it.each([
    ['whose answer was lost', undefined],
    ['after which Twilio broke off', { status: 502, body: Buffer.from('<html>Bad Gateway</html>') }],
    ['at which Twilio failed within itself', refused(20500, 500)],
    ['at which Twilio failed with a code that nobody knows', refused(99999, 500)],
  ])('says that nobody knows what became of a message %s, until a status by our id tells', async (_what, answer) => {
    const [connection, other] = [connect(acme), connect(globex)];
    const command = commandOf(connection, text('lost answer'));
    const hub = await start();
    twilio.answers.push(answer);
    await hub.handle(command);
    expect(twilio.messages()).toHaveLength(1);
    expect(hub.statuses()).toMatchObject([{ messageId: messageIdOf(command), status: 'failed', error: { code: 'delivery.outcome_unknown' } }]);
    const sid = `SM${'9'.repeat(32)}`;
    await hub.handle(callback(connection, sid, 'delivered', twilio.messages()[0]?.['StatusCallback'] ?? ''));
    // Another tenant's word on the same id is about its own connection alone: state-manager finds no message of it there.
    await hub.handle(callback(other, sid, 'failed', twilio.messages()[0]?.['StatusCallback'] ?? ''));
    expect(hub.statuses().slice(1)).toMatchObject([{ messageId: messageIdOf(command), status: 'delivered', providerMessageId: sid, connectionId: connection.connectionId }, { connectionId: other.connectionId }]);
  });

  it('sends again what Twilio said that it has not taken', async () => {
    const connection = connect(acme);
    const command = commandOf(connection, text('patience'));
    const hub = await start();
    twilio.answers.push(refused(20503, 503));
    await expect(hub.handle(command)).rejects.toMatchObject({ code: 'provider.unavailable', retry: 'later' });
    expect(hub.statuses()).toEqual([]);
    await hub.handle(command, { attempt: 2 });
    expect(hub.statuses()).toMatchObject([{ status: 'sent' }]);
  });

  it('holds a tenant\'s messages while its account is suspended, and only that tenant\'s', async () => {
    const [ours, theirs] = [connect(acme), connect(globex)];
    const hub = await start();
    twilio.answer = ({ path }) => (path.includes(accountSidOf(acme)) ? refused(30002, 403) : 'taken');
    await expect(hub.handle(commandOf(ours, text('wait')))).rejects.toMatchObject({ code: 'provider.forbidden', retry: { counted: false } });
    await hub.handle(commandOf(theirs, text('go')));
    expect(hub.statuses()).toMatchObject([{ status: 'sent', connectionId: theirs.connectionId }]);
  });

  it('fails a message outside the window in plain words, with Twilio\'s code', async () => {
    const hub = await start();
    twilio.answers.push(refused(63016));
    await hub.handle(commandOf(connect(acme), text('too late')));
    expect(hub.statuses()).toMatchObject([{ status: 'failed', error: { code: 'message.window_closed', providerCode: '63016', message: expect.stringContaining('approved template') } }]);
  });
});

describe('statuses', () => {
  it('that come before the answer of the call know our message', async () => {
    const connection = connect(acme);
    const command = commandOf(connection, text('quick phone'));
    const hub = await start();
    twilio.answer = async ({ fields }) => {
      await hub.handle(callback(connection, `SM${'2'.repeat(32)}`, 'delivered', fields['StatusCallback'] ?? ''));
      return { status: 201, body: { sid: `SM${'2'.repeat(32)}`, status: 'queued' } };
    };
    await hub.handle(command);
    expect(hub.statuses().map(({ messageId, status }) => [messageId, status])).toEqual([[messageIdOf(command), 'delivered'], [messageIdOf(command), 'sent']]);
  });

  it('of two parts say what holds for both, in whatever order they come, before the last part\'s answer too', async () => {
    const connection = connect(acme);
    const command = commandOf(connection, longText);
    const hub = await start();
    const told: string[] = [];
    twilio.answer = async ({ fields }) => {
      const sid = `SM${String(told.push(fields['StatusCallback'] ?? '')).padStart(32, '0')}`;
      if (told.length === 2) await hub.handle(callback(connection, sid, 'delivered', fields['StatusCallback'] ?? ''));
      return { status: 201, body: { sid } };
    };
    await hub.handle(command);
    expect(hub.statuses()).toMatchObject([{ status: 'sent' }]);
    const [first = '', second = ''] = told;
    await hub.handle(callback(connection, `SM${'1'.padStart(32, '0')}`, 'read', first));
    await hub.handle(callback(connection, `SM${'2'.padStart(32, '0')}`, 'sent', second));
    await hub.handle(callback(connection, `SM${'1'.padStart(32, '0')}`, 'delivered', first));
    const after = hub.statuses().slice(1);
    expect(after.length).toBeGreaterThan(0);
    expect(new Set(after.map(({ messageId, status }) => `${String(messageId)} ${String(status)}`))).toEqual(new Set([`${messageIdOf(command)} delivered`]));
  });

  it('without our id find the message by Twilio\'s, for its own tenant alone', async () => {
    const [ours, theirs] = [connect(acme), connect(globex)];
    const command = commandOf(ours, text('hello'));
    const hub = await start();
    await hub.handle(command);
    const sid = String(hub.statuses()[0]?.['providerMessageId']);
    const form = { MessageSid: sid, MessageStatus: 'read', To: 'whatsapp:+5511912345678' };
    await hub.handle(webhookOf(ours, 'status', form));
    await hub.handle(webhookOf(theirs, 'status', form));
    expect(hub.statuses().slice(1).map(({ connectionId, messageId }) => [connectionId, messageId])).toEqual([[ours.connectionId, messageIdOf(command)], [theirs.connectionId, undefined]]);
  });
});

describe('questions with buttons', () => {
  it('have a content that is made once in each tenant\'s account, and found again by its name after a restart', async () => {
    const [ours, theirs] = [connect(acme), connect(globex)];
    const hub = await start();
    for (const connection of [ours, ours, theirs]) await hub.handle(commandOf(connection, question));
    const made = () => twilio.requests.filter(({ method, path }) => method === 'POST' && path === '/v1/Content').map(({ authorization }) => authorization);
    // The stand-in has one list for all: globex finds acme's there, as it would not at Twilio; what counts is whose credentials asked.
    expect(made()).toEqual([basic(accountSidOf(acme), 'token-of-acme')]);
    expect(twilio.requests.filter(({ path }) => path.startsWith('/v2/Content')).map(({ authorization }) => authorization)).toEqual([basic(accountSidOf(acme), 'token-of-acme'), basic(accountSidOf(globex), 'token-of-globex')]);
    await (await start()).handle(commandOf(ours, question));
    expect(made()).toHaveLength(1);
    expect(new Set(twilio.messages().map(({ ContentSid }) => ContentSid)).size).toBe(1);
  });

  it('whose content was made while the answer was lost are sent once, with the content that is there', async () => {
    const command = commandOf(connect(acme), question);
    const hub = await start();
    twilio.answer = ({ path, method }) => (path === '/v1/Content' && method === 'POST' ? undefined : 'taken');
    await expect(hub.handle(command)).rejects.toMatchObject({ code: 'egress.failed' });
    expect(twilio.messages()).toEqual([]);
    twilio.answer = ({ path }) => {
      if (!path.startsWith('/v2/Content')) return 'taken';
      const name = new URL(path, 'http://twilio').searchParams.get('ContentName');
      return { status: 200, body: { contents: [{ sid: 'HXthere', friendly_name: name, language: 'en' }], meta: { key: 'contents' } } };
    };
    await hub.handle(command, { attempt: 2 });
    expect(twilio.messages()).toMatchObject([{ ContentSid: 'HXthere' }]);
    expect(hub.statuses()).toMatchObject([{ status: 'sent' }]);
  });

  it('are made anew without waiting for another tenant, whose account does not answer', async () => {
    const [ours, theirs] = [connect(acme), connect(globex)];
    const hub = await start();
    await hub.handle(commandOf(ours, question));
    const [asked, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<undefined>()];
    let isRefused = false;
    twilio.answer = async ({ path, authorization }) => {
      if (authorization === basic(accountSidOf(globex), 'token-of-globex')) {
        asked.resolve();
        return await answered.promise;
      }
      if (path.startsWith('/v2/Content')) return { status: 200, body: { contents: [], meta: { key: 'contents' } } };
      if (!path.endsWith('/Messages.json') || isRefused) return 'taken';
      isRefused = true;
      return refused(21655);
    };
    const waiting = hub.handle(commandOf(theirs, question)).catch(() => 'refused');
    await asked.promise;
    const sending = hub.handle(commandOf(ours, question)).then(() => 'sent');
    expect(await Promise.race([sending, sleep(2_000).then(() => 'waits')])).toBe('sent');
    answered.resolve(undefined);
    await Promise.all([waiting, sending]);
  });

  it('are made anew when somebody has deleted their content at Twilio', async () => {
    const connection = connect(acme);
    const hub = await start();
    await hub.handle(commandOf(connection, question));
    let isRefused = false;
    twilio.answer = ({ path }) => {
      if (path.startsWith('/v2/Content')) return { status: 200, body: { contents: [], meta: { key: 'contents' } } };
      if (!path.endsWith('/Messages.json') || isRefused) return 'taken';
      isRefused = true;
      return refused(21655);
    };
    await hub.handle(commandOf(connection, question));
    const [first, gone, anew] = twilio.messages().map(({ ContentSid }) => ContentSid);
    expect([gone === first, anew !== first]).toEqual([true, true]);
    expect(hub.statuses()).toMatchObject([{ status: 'sent' }, { status: 'sent' }]);
  });
});

describe('files of received messages', () => {
  const form = (connection: ConnectionWithSecrets) => ({ MessageSid: `MM${'3'.repeat(32)}`, From: '+15005550111', To: phoneNumber, Body: 'menu', NumMedia: '1', MediaUrl0: `https://api.twilio.com/2010-04-01/Accounts/${connection.routingIdentifiers['accountSid']}/Messages/MM3/Media/ME1`, MediaContentType0: 'image/jpeg' });

  it('are fetched with the subaccount\'s credentials, which the place that they lie at never sees', async () => {
    const connection = connect(acme);
    const elsewhere = await startFakeTwilio();
    elsewhere.answer = () => ({ status: 200, headers: { 'content-type': 'image/jpeg' }, body: Buffer.from('a picture') });
    twilio.answer = () => ({ status: 307, headers: { location: `${elsewhere.url}/signed?x=1` }, body: '' });
    const hub = await start();
    await hub.handle(webhookOf(connection, 'message', form(connection)));
    await elsewhere.close();
    expect(twilio.requests.map(({ authorization }) => authorization)).toEqual([basic(accountSidOf(acme), 'token-of-acme')]);
    expect(elsewhere.requests.map(({ path, authorization }) => [path, authorization])).toEqual([['/signed?x=1', undefined]]);
    expect(hub.said()).toMatchObject([{ contact: { address: '+15005550111' }, content: { kind: 'image', media: { mediaKey: expect.stringMatching(/^[0-9a-f]{64}$/), size: 9, caption: 'menu' } } }]);
  });

  it('that lie at a host that is not Twilio\'s are not fetched; the message goes on with a note', async () => {
    const connection = connect(acme);
    const hub = await start();
    await hub.handle(webhookOf(connection, 'message', { ...form(connection), MediaUrl0: `https://api.twilio.com.evil.test/1` }));
    expect(twilio.requests).toEqual([]);
    expect(hub.said()).toMatchObject([{ content: { kind: 'image', media: { unavailable: expect.stringContaining('not its own') } } }]);
  });
});
