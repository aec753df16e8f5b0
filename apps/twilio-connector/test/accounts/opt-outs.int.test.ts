import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ConnectionId, ConnectionWithSecrets, Envelope } from '@switchboard/contracts';
import { testTenants } from '@switchboard/testing';
import { tmpdir } from 'node:os';
import { commandOf, connectionAt, sid, startConnector, startDatabase, webhookOf, type Connector } from './start-connector.ts';
import { startStandInTwilio, type StandInTwilio } from './stand-in-twilio.ts';

const [acme, globex] = testTenants;
const contact = '+15005550111';
const number = '+15005550006';

let store: Awaited<ReturnType<typeof startDatabase>>;
let twilio: StandInTwilio;
let connector: Connector;
let ours: ConnectionWithSecrets;
let other: ConnectionWithSecrets;
let theirs: ConnectionWithSecrets;
let reconnect: (settings: Readonly<Record<string, string>>) => Promise<void>;
let test = 0;

beforeAll(async () => {
  store = await startDatabase();
}, 60_000);
afterAll(async () => {
  await twilio?.close();
  await store?.close();
});

beforeEach(async () => {
  await twilio?.close();
  twilio = await startStandInTwilio();
  test += 1;
  const connections = new Map<ConnectionId, ConnectionWithSecrets>();
  const connect = (...parameters: Parameters<typeof connectionAt>) => {
    const connection = connectionAt(...parameters);
    connections.set(connection.connectionId, connection);
    return connection;
  };
  // The same number text at both tenants; each test has contacts of its own by its own number.
  const digits = `${number.slice(0, -2)}${String(test).padStart(2, '0')}`;
  const [a, b] = [sid('AC', `a${test}`), sid('AC', `b${test}`)];
  twilio.open(a, `token of ${a}`);
  twilio.open(b, `token of ${b}`);
  ours = connect(acme, { accountSid: a, phoneNumber: digits, url: twilio.url });
  // As another process sees it, which has nothing of the connection in memory.
  reconnect = async (settings) => {
    ours = { ...ours, settings: { ...ours.settings, ...settings } };
    connections.set(ours.connectionId, ours);
    connector = await startConnector(store.db, connections, { mediaDir: tmpdir(), now: () => new Date() });
  };
  other = connect(acme, { accountSid: a, phoneNumber: '+15005559999', url: twilio.url });
  theirs = connect(globex, { accountSid: b, phoneNumber: digits, url: twilio.url });
  connector = await startConnector(store.db, connections, { mediaDir: tmpdir(), now: () => new Date() });
});

let messages = 0;
function messageTo(connection: ConnectionWithSecrets, body: string, more: Readonly<Record<string, string>> = {}, receivedAt = new Date()): Envelope {
  const { phoneNumber = '' } = connection.settings;
  messages += 1;
  return webhookOf(connection, 'message', { MessageSid: sid('SM', `f${messages}`), From: contact, To: phoneNumber, Body: body, NumMedia: '0', ...more }, { receivedAt });
}

async function send(connection: ConnectionWithSecrets, address = contact): Promise<Record<string, unknown> | undefined> {
  const command = commandOf(connection, address, 'Hello');
  await connector.handle(command);
  return connector.statuses().findLast(({ messageId }) => messageId === command.payload.messageId);
}

const refused = { status: 'failed', error: { code: 'message.opted_out' } };

describe('a contact that sent STOP', () => {
  it('gets nothing more from that number, and Twilio is not even asked; what it wrote goes on to the conversation', async () => {
    await connector.handle(messageTo(ours, ' stop '));
    expect(connector.said()).toMatchObject([{ content: { kind: 'text', text: ' stop ' }, attributes: { optOut: 'out' } }]);
    expect(await send(ours)).toMatchObject(refused);
    expect(twilio.sent()).toEqual([]);
  });

  it('gets messages from another number of the tenant, and from another tenant with the same number', async () => {
    await connector.handle(messageTo(ours, 'STOP'));
    for (const connection of [other, theirs]) expect(await send(connection)).toMatchObject({ status: 'sent' });
    expect(twilio.sent().map(({ From }) => From)).toEqual([other.settings['phoneNumber'], theirs.settings['phoneNumber']]);
  });

  it('gets them again after START, and a STOP from before that comes once more changes nothing', async () => {
    const stop = messageTo(ours, 'STOP', {}, new Date('2026-11-22T10:00:00Z'));
    await connector.handle(stop);
    await connector.handle(messageTo(ours, 'start', {}, new Date('2026-11-22T10:05:00Z')));
    await connector.handle(stop);
    expect(await send(ours)).toMatchObject({ status: 'sent' });
  });

  it('stays out when an older START comes late, also before its STOP was seen by the other one', async () => {
    const start = messageTo(ours, 'START', {}, new Date('2026-11-22T10:00:00Z'));
    await connector.handle(messageTo(ours, 'STOP', {}, new Date('2026-11-22T10:05:00Z')));
    await connector.handle(start);
    await connector.handle(start);
    expect(await send(ours)).toMatchObject(refused);
  });

  it('is out when START came at the same moment, whichever is taken in first', async () => {
    const at = new Date('2026-11-22T10:00:00Z');
    for (const [from, words] of [['+15005550881', ['STOP', 'START']], ['+15005550882', ['START', 'STOP']]] as const) {
      for (const word of words) await connector.handle(messageTo(ours, word, { From: from }, at));
      expect(await send(ours, from)).toMatchObject(refused);
    }
  });

  it('is let in by YES, which is a plain answer to everybody else', async () => {
    await connector.handle(messageTo(ours, 'yes', { From: '+15005550222' }));
    await connector.handle(messageTo(ours, 'STOP', {}, new Date(Date.now() - 60_000)));
    await connector.handle(messageTo(ours, 'yes'));
    const [answer, , yes] = connector.said() as { attributes?: Record<string, string> }[]; // as published
    expect([answer?.attributes?.['optOut'], yes?.attributes?.['optOut']]).toEqual([undefined, 'in']);
    expect(await send(ours)).toMatchObject({ status: 'sent' });
  });

  it('on WhatsApp is left alone on WhatsApp, and may be told to cancel by a bot', async () => {
    const address = `whatsapp:${contact}`;
    const to = { From: address, To: `whatsapp:${ours.settings['phoneNumber']}` };
    await connector.handle(messageTo(ours, 'cancel', to));
    expect(await send(ours, address)).toMatchObject({ status: 'sent' });
    await connector.handle(messageTo(ours, 'STOP', to));
    expect([await send(ours, address), await send(ours)]).toMatchObject([refused, { status: 'sent' }]);
  });
});

describe('a tenant that keeps no list of WhatsApp\'s STOP', () => {
  it('can have back who was on it, by START and by that alone', async () => {
    const address = `whatsapp:${contact}`;
    const say = (word: string, at: string) => connector.handle(messageTo(ours, word, { From: address, To: `whatsapp:${ours.settings['phoneNumber']}` }, new Date(at)));
    await say('STOP', '2026-11-22T10:00:00Z');
    await reconnect({ whatsappOptOut: 'false' });
    expect(await send(ours, address)).toMatchObject(refused);
    await say('START', '2026-11-22T10:01:00Z');
    expect(await send(ours, address)).toMatchObject({ status: 'sent' });
    await say('STOP', '2026-11-22T10:02:00Z');
    expect(await send(ours, address)).toMatchObject({ status: 'sent' });
  });
});

describe('Twilio\'s refusal because of an opt-out (21610)', () => {
  it('marks the contact when it answers the call', async () => {
    const account = twilio.accounts.get(ours.settings['accountSid'] ?? '');
    if (account !== undefined) account.nextSend = { status: 400, code: 21610 };
    expect(await send(ours)).toMatchObject({ status: 'failed', error: { providerCode: '21610' } });
    expect(await send(ours)).toMatchObject(refused);
    expect([twilio.sent().length, (await send(theirs))?.['status']]).toEqual([1, 'sent']);
  });

  it('marks the contact when it comes as a status', async () => {
    await connector.handle(webhookOf(ours, 'status', { MessageSid: sid('SM', 'e1'), MessageStatus: 'failed', ErrorCode: '21610', From: ours.settings['phoneNumber'] ?? '', To: contact }));
    expect([await send(ours), await send(theirs)]).toMatchObject([refused, { status: 'sent' }]);
  });
});
