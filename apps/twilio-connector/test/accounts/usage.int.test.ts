import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ConnectionId, ConnectionWithSecrets } from '@switchboard/contracts';
import { runAsTenant } from '@switchboard/tenant-context';
import { testTenants } from '@switchboard/testing';
import { tmpdir } from 'node:os';
import { createUsageItems, type UsageItems } from '../../src/store/usage-items.ts';
import { commandOf, connectionAt, sid, startConnector, startDatabase, webhookOf, type Connector } from './start-connector.ts';
import { startStandInTwilio, type StandInTwilio } from './stand-in-twilio.ts';

const [acme, globex] = testTenants;
const phoneNumber = '+15005550006';
const contact = '+15005550111';

let store: Awaited<ReturnType<typeof startDatabase>>;
let twilio: StandInTwilio;
let connector: Connector;
let items: UsageItems;
let ours: ConnectionWithSecrets;
let theirs: ConnectionWithSecrets;
let test = 0;

beforeAll(async () => {
  store = await startDatabase();
  items = createUsageItems(store.db);
}, 60_000);
afterAll(async () => {
  await twilio?.close();
  await store?.close();
});

beforeEach(async () => {
  await twilio?.close();
  twilio = await startStandInTwilio();
  test += 1;
  const [a, b] = [sid('AC', `a${test}`), sid('AC', `b${test}`)];
  twilio.open(a, `token of ${a}`);
  twilio.open(b, `token of ${b}`);
  ours = connectionAt(acme, { accountSid: a, phoneNumber, url: twilio.url });
  theirs = connectionAt(globex, { accountSid: b, phoneNumber, url: twilio.url });
  const connections = new Map<ConnectionId, ConnectionWithSecrets>([ours, theirs].map((connection) => [connection.connectionId, connection]));
  connector = await startConnector(store.db, connections, { mediaDir: tmpdir(), now: () => new Date() });
});

/** What was counted of a connection's subaccount, as `kind: count/units`. */
async function counted({ tenantId, settings }: ConnectionWithSecrets): Promise<Record<string, string>> {
  const sums = await runAsTenant(tenantId, () => items.sums(new Date(0), new Date('2100-01-01')));
  return Object.fromEntries(sums.filter(({ accountSid }) => accountSid === settings['accountSid']).map(({ kind, count, units }) => [kind, `${count}/${units}`]));
}

const inbound = (connection: ConnectionWithSecrets, end: string, form: Readonly<Record<string, string>>) =>
  webhookOf(connection, 'message', { MessageSid: sid('SM', `${test}${end}`), From: contact, To: phoneNumber, NumMedia: '0', NumSegments: '1', Body: 'Hi', ...form });

describe('usage', () => {
  it('counts each inbound message once, however often its webhook comes, by kind and segments, and for its own tenant alone', async () => {
    const webhooks = [
      inbound(ours, 'c1', { NumSegments: '3', Body: 'a'.repeat(400) }),
      inbound(ours, 'c2', { From: `whatsapp:${contact}`, To: `whatsapp:${phoneNumber}` }),
      // Two files: two messages of the hub, one of Twilio.
      inbound(ours, 'c3', { NumMedia: '2', MediaUrl0: 'http://127.0.0.1:1/a', MediaUrl1: 'http://127.0.0.1:1/b', MediaContentType0: 'image/png', MediaContentType1: 'image/png', MessageSid: sid('MM', `${test}c3`) }),
      inbound(theirs, 'c1', {}),
    ];
    for (const webhook of [...webhooks, ...webhooks]) await connector.handle(webhook);
    expect(await counted(ours)).toEqual({ sms_inbound: '1/3', whatsapp_inbound: '1/1', mms_inbound: '1/1' });
    expect(await counted(theirs)).toEqual({ sms_inbound: '1/1' });
  });

  it('counts what Twilio took once, with its segments, also when a status comes, and nothing that Twilio refused', async () => {
    const command = commandOf(ours, contact, 'ü'.repeat(30) + '😀'.repeat(50));
    await connector.handle(command);
    const account = twilio.accounts.get(ours.settings['accountSid'] ?? '');
    if (account !== undefined) account.nextSend = { status: 400, code: 21211 };
    await connector.handle(commandOf(ours, contact, 'refused'));
    const { providerMessageId } = connector.statuses()[0] as { providerMessageId: string }; // it was sent
    const status = webhookOf(ours, 'status', { MessageSid: providerMessageId, MessageStatus: 'delivered', From: phoneNumber, To: contact }, { query: { m: command.payload.messageId } });
    await connector.handle(status);
    await connector.handle(status);
    await connector.handle(commandOf(theirs, `whatsapp:${contact}`, 'Hello'));
    expect([await counted(ours), await counted(theirs)]).toEqual([{ sms_outbound: '1/2' }, { whatsapp_outbound: '1/1' }]);
  });

  it('counts a message whose answer was lost when its status proves that Twilio has it', async () => {
    const account = twilio.accounts.get(ours.settings['accountSid'] ?? '');
    if (account !== undefined) account.nextSend = { status: 502, code: 0 };
    const command = commandOf(ours, contact, 'Did it arrive?');
    await connector.handle(command);
    expect([connector.statuses()[0], await counted(ours)]).toMatchObject([{ error: { code: 'delivery.outcome_unknown' } }, {}]);
    await connector.handle(webhookOf(ours, 'status', { MessageSid: sid('SM', `${test}d1`), MessageStatus: 'sent', To: contact }, { query: { m: command.payload.messageId } }));
    expect(await counted(ours)).toEqual({ sms_outbound: '1/1' });
  });

  it('counts a call with the minutes it has begun, its recording and its transcript, in any order and repeated', async () => {
    const [CallSid, RecordingSid] = [sid('CA', `${test}e`), sid('RE', `${test}e`)];
    const steps = [
      webhookOf(ours, 'transcription', { CallSid, RecordingSid, TranscriptionSid: sid('TR', `${test}e`), TranscriptionStatus: 'completed', TranscriptionText: 'Call me', From: contact, To: phoneNumber }),
      webhookOf(ours, 'call_status', { CallSid, CallStatus: 'completed', CallDuration: '61', From: contact, To: phoneNumber }),
      webhookOf(ours, 'call', { CallSid, CallStatus: 'ringing', From: contact, To: phoneNumber }),
      webhookOf(ours, 'recording', { CallSid, RecordingSid, RecordingStatus: 'completed', RecordingDuration: '17' }),
    ];
    // The call before its end, as a rule; what is known later counts.
    for (const step of [...steps.toReversed(), ...steps]) await connector.handle(step);
    expect(await counted(ours)).toEqual({ calls_inbound: '1/2', recordings: '1/1', transcriptions: '1/1' });
    expect(await counted(theirs)).toEqual({});
  });
});
