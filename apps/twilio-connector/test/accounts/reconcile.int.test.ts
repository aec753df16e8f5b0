import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ConnectionId, ConnectionWithSecrets } from '@switchboard/contracts';
import { runAsSystem } from '@switchboard/tenant-context';
import { testTenants } from '@switchboard/testing';
import { tmpdir } from 'node:os';
import { changedOf, commandOf, connectionAt, sid, startConnector, startDatabase, webhookOf, type Connector } from './start-connector.ts';
import { startStandInTwilio, type StandInAccount, type StandInTwilio } from './stand-in-twilio.ts';

const [acme, globex] = testTenants;
const phoneNumber = '+15005550006';
const contact = '+15005550111';
const minute = 60_000;
const begin = Date.parse('2026-11-22T10:00:00Z');

let store: Awaited<ReturnType<typeof startDatabase>>;
let twilio: StandInTwilio;
let connector: Connector;
let connections: Map<ConnectionId, ConnectionWithSecrets>;
let ours: ConnectionWithSecrets;
let theirs: ConnectionWithSecrets;
let now = begin;
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
  now = begin;
  test += 1;
  await runAsSystem('each test has connections of its own', () => store.db.transaction(() => store.db.sql.query('delete from reconciliations')));
  const [a, b] = [sid('AC', `a${test}`), sid('AC', `b${test}`)];
  twilio.open(a, `token of ${a}`);
  twilio.open(b, `token of ${b}`);
  ours = connectionAt(acme, { accountSid: a, phoneNumber, url: twilio.url });
  theirs = connectionAt(globex, { accountSid: b, phoneNumber, url: twilio.url });
  connections = new Map([ours, theirs].map((connection) => [connection.connectionId, connection]));
  connector = await startConnector(store.db, connections, { mediaDir: tmpdir(), now: () => new Date(now) });
  for (const connection of connections.values()) await connector.handle(changedOf(connection, new Date(begin)));
});

const accountOf = ({ settings }: ConnectionWithSecrets): StandInAccount => {
  const account = twilio.accounts.get(settings['accountSid'] ?? '');
  if (account === undefined) throw new Error('the stand-in has every test\'s accounts');
  return account;
};

/** At Twilio, newest first, so many minutes after the beginning. */
function atTwilio(connection: ConnectionWithSecrets, end: string, minutes: number, more: Readonly<Record<string, unknown>> = {}): string {
  const messageSid = sid('SM', `${test}${end}`);
  const sent = new Date(begin + minutes * minute).toUTCString();
  accountOf(connection).messages.unshift({ sid: messageSid, direction: 'inbound', from: contact, to: phoneNumber, body: `message ${end}`, status: 'received', num_media: '0', num_segments: '1', error_code: null, messaging_service_sid: null, date_sent: sent, date_created: sent, ...more });
  return messageSid;
}

/** As after some hours: the task runs, and what it has found is handled. */
async function lookAfter(minutes: number): Promise<void> {
  now = begin + minutes * minute;
  await connector.runTask('reconcile-messages');
  await connector.handleOwn();
}

const sayings = (connection: ConnectionWithSecrets) => {
  const own = connector.said().filter(({ tenantId }) => tenantId === connection.tenantId) as unknown as { providerMessageId: string; sentAt: string }[]; // as published
  return [...new Set(own.map(({ providerMessageId }) => providerMessageId))];
};

describe('a message whose webhook never came', () => {
  it('is found at Twilio and said once, with the time that it was sent, by its own tenant alone', async () => {
    const missed = ['c1', 'c2', 'c3', 'c4', 'c5'].map((end, index) => atTwilio(ours, end, index + 1));
    await lookAfter(120);
    await lookAfter(240);
    expect([sayings(ours), sayings(theirs)]).toEqual([missed, []]);
    expect(connector.said()).toHaveLength(5);
    // Behind what else its contact says, as ingest orders it.
    expect(new Set(connector.published.filter(({ type }) => type === 'webhook.received.twilio').map(({ orderingKey }) => orderingKey))).toEqual(new Set([`${ours.connectionId}:${contact}`]));
    expect(connector.said()[0]).toMatchObject({ connectionId: ours.connectionId, contact: { address: contact }, content: { kind: 'text', text: 'message c1' }, sentAt: '2026-11-22T10:01:00.000Z' });
  });

  it('is not said again when its webhook has come, nor asked for when the webhook may still come', async () => {
    const messageSid = atTwilio(ours, 'c1', 5);
    atTwilio(ours, 'c2', 119.5);
    await connector.handle(webhookOf(ours, 'message', { MessageSid: messageSid, From: contact, To: phoneNumber, Body: 'message c1', NumMedia: '0' }));
    await lookAfter(120);
    expect(connector.said()).toHaveLength(1);
    await lookAfter(240);
    expect(sayings(ours)).toEqual([messageSid, sid('SM', `${test}c2`)]);
  });

  it('is found also behind more of them than one look takes', async () => {
    const missed = Array.from({ length: 505 }, (_, index) => atTwilio(ours, `e${String(index).padStart(4, '0')}`, index / 5));
    await lookAfter(120);
    expect(sayings(ours)).toEqual(missed);
  });

  it('comes with its files, as its webhook would have named them', async () => {
    const messageSid = atTwilio(ours, 'c1', 5, { num_media: '1', body: 'look' });
    accountOf(ours).media[messageSid] = [{ sid: sid('ME', 'c1'), content_type: 'image/png' }];
    await lookAfter(120);
    expect(connector.said()).toMatchObject([{ content: { kind: 'image', media: { mimeType: 'image/png', caption: 'look' } } }]);
    expect(twilio.requests.map(({ path }) => path)).toContain(`/2010-04-01/Accounts/${ours.settings['accountSid'] ?? ''}/Messages/${messageSid}/Media/${sid('ME', 'c1')}`);
  });

  it('is a STOP all the same', async () => {
    atTwilio(ours, 'c1', 5, { body: 'STOP', from: '+15005550333' });
    await lookAfter(120);
    await connector.handle(commandOf(ours, '+15005550333', 'Hello'));
    expect(connector.statuses()).toMatchObject([{ error: { code: 'message.opted_out' } }]);
  });

  it('is not said in a service\'s conversation when it came to another connection of the tenant, whose number is in the service\'s pool', async () => {
    const messagingServiceSid = sid('MG', `d${test}`);
    const service = connectionAt(acme, { accountSid: ours.settings['accountSid'] ?? '', messagingServiceSid, url: twilio.url });
    connections.set(service.connectionId, service);
    await connector.handle(changedOf(service, new Date(begin)));
    const messageSid = atTwilio(ours, 'c1', 5, { messaging_service_sid: messagingServiceSid });
    await connector.handle(webhookOf(ours, 'message', { MessageSid: messageSid, MessagingServiceSid: messagingServiceSid, From: contact, To: phoneNumber, Body: 'message c1', NumMedia: '0' }));
    await lookAfter(120);
    expect(connector.said()).toMatchObject([{ connectionId: ours.connectionId }]);
  });

  it('is none that came while the connection was switched off', async () => {
    const change = (status: 'active' | 'disabled', minutes: number) => connector.handle(changedOf({ ...ours, status }, new Date(begin + minutes * minute)));
    await change('disabled', 10);
    atTwilio(ours, 'c1', 60);
    await change('active', 120);
    atTwilio(ours, 'c2', 130);
    await lookAfter(240);
    expect(sayings(ours)).toEqual([sid('SM', `${test}c2`)]);
  });

  it('of another number, of our own, or from before the number was connected is left alone', async () => {
    atTwilio(ours, 'c1', 5, { to: '+15005557777' });
    atTwilio(ours, 'c2', 5, { direction: 'outbound-api', from: phoneNumber, to: contact });
    // From before it was connected.
    atTwilio(ours, 'c3', -5);
    await lookAfter(120);
    expect(connector.said()).toEqual([]);
  });
});

describe('looking through messages', () => {
  it('of one tenant, whose credentials Twilio refuses, does not keep another one\'s waiting, and finds everything once they are mended', async () => {
    atTwilio(ours, 'c1', 5);
    const theirSid = atTwilio(theirs, 'c1', 5);
    accountOf(ours).refusal = { status: 401, code: 20003, message: 'Authenticate' };
    await lookAfter(120);
    expect([sayings(ours), sayings(theirs)]).toEqual([[], [theirSid]]);
    accountOf(ours).refusal = undefined;
    await lookAfter(60 * 24 * 3);
    // Three days back are looked through in steps of a day, one look after the other.
    for (let look = 0; look < 3; look++) await lookAfter(60 * 24 * 3 + look);
    expect(sayings(ours)).toEqual([sid('SM', `${test}c1`)]);
  });

  it('is done by one process at a time, and not of a connection that is switched off', async () => {
    connections.set(theirs.connectionId, { ...theirs, status: 'disabled' });
    await connector.handle(changedOf({ ...theirs, status: 'disabled' }, new Date(begin)));
    const another = await startConnector(store.db, connections, { mediaDir: tmpdir(), now: () => new Date(now) });
    now = begin + 120 * minute;
    await Promise.all([connector.runTask('reconcile-messages'), another.runTask('reconcile-messages')]);
    const lists = twilio.requests.filter(({ path }) => path.endsWith('/Messages.json'));
    // Of SMS and of WhatsApp.
    expect(lists.map(({ query }) => query.get('To'))).toEqual(expect.arrayContaining([phoneNumber, `whatsapp:${phoneNumber}`]));
    expect(lists).toHaveLength(2);
  });
});

describe('a message of ours that nothing was heard of', () => {
  it('is asked for by its SID, and what became of it is told once', async () => {
    const command = commandOf(ours, contact, 'Hello');
    await connector.handle(command);
    const { providerMessageId } = connector.statuses()[0] as { providerMessageId: string }; // it was sent
    accountOf(ours).messages.unshift({ sid: providerMessageId, direction: 'outbound-api', from: phoneNumber, to: contact, body: 'Hello', status: 'undelivered', error_code: 30003 });
    await lookAfter(120);
    await lookAfter(240);
    expect(connector.statuses().slice(1)).toMatchObject([{ messageId: command.payload.messageId, status: 'failed', error: { providerCode: '30003' } }]);
  });

  it('is asked for once more after a day, where it had no end yet', async () => {
    await connector.handle(commandOf(ours, contact, 'Hello'));
    const { providerMessageId } = connector.statuses()[0] as { providerMessageId: string }; // it was sent
    const atTheirs = { sid: providerMessageId, direction: 'outbound-api', from: phoneNumber, to: contact, body: 'Hello', status: 'sent' };
    accountOf(ours).messages.unshift(atTheirs);
    const asked = () => twilio.requests.filter(({ path }) => path.includes(providerMessageId)).length;
    await lookAfter(120);
    expect([asked(), connector.statuses().length]).toEqual([1, 1]);
    atTheirs.status = 'delivered';
    await lookAfter(60 * 23);
    expect(asked()).toBe(1);
    await lookAfter(60 * 26);
    await lookAfter(60 * 52);
    expect([asked(), connector.statuses().slice(1)]).toMatchObject([2, [{ status: 'delivered', providerMessageId }]]);
  });

  it('is not asked for when its status has come', async () => {
    const command = commandOf(ours, contact, 'Hello');
    await connector.handle(command);
    const { providerMessageId = '' } = connector.statuses()[0] as { providerMessageId?: string }; // it was sent
    await connector.handle(webhookOf(ours, 'status', { MessageSid: providerMessageId, MessageStatus: 'delivered', To: contact }, { query: { m: command.payload.messageId } }));
    await lookAfter(120);
    expect(twilio.requests.map(({ path }) => path).filter((path) => path.includes(providerMessageId))).toEqual([]);
  });
});
