import { newId, type ConnectionId, type ConnectionWithSecrets, type Envelope, type MessageContent, type TenantId } from '@switchboard/contracts';
import { createDatabase } from '@switchboard/db';
import type { Subscription } from '@switchboard/event-bus';
import { prepareServices } from '@switchboard/service-kit';
import { testKit } from '@switchboard/service-kit/testing';
import { runAsTenant } from '@switchboard/tenant-context';
import { startTestDatabase, testRolePassword } from '@switchboard/testing';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { service } from '../src/service.ts';
import { PrismaClient } from '../src/store/generated/client.ts';

/** The same number of both tenants' callers. */
export const callerNumber = '+15005550111';
export const sid = (prefix: string, digits: string) => `${prefix}${digits.repeat(32).slice(0, 32)}`;

/** A call to one of a tenant's connections. */
export type TestCall = { readonly connection: ConnectionWithSecrets; readonly callSid: string; readonly recordingSid: string; readonly transcriptionSid: string; readonly from: string };

/** What the hub was told, in few words. */
export type Heard = { readonly type: string; readonly address?: string; readonly content?: MessageContent; readonly payload: Record<string, unknown> };

let calls = 0;

/** A call; another one each time, unless it is to have the names of one at another tenant. */
export function callAt(connection: ConnectionWithSecrets, { like, from = callerNumber }: { readonly like?: TestCall; readonly from?: string } = {}): TestCall {
  const digits = (++calls).toString(16).padStart(4, '0');
  return { connection, callSid: like?.callSid ?? sid('CA', digits), recordingSid: like?.recordingSid ?? sid('RE', digits), transcriptionSid: like?.transcriptionSid ?? sid('TR', digits), from };
}

/** The forms that Twilio posts in the course of a call. */
export function formsOf({ connection, callSid, recordingSid, transcriptionSid, from }: TestCall) {
  const accountSid = connection.routingIdentifiers['accountSid'] ?? '';
  const call = { AccountSid: accountSid, CallSid: callSid, From: from, To: '+15005550006', Direction: 'inbound', ApiVersion: '2010-04-01' };
  const url = `https://api.twilio.com/2010-04-01/Accounts/${accountSid}/Recordings/${recordingSid}`;
  const recording = { AccountSid: accountSid, CallSid: callSid, RecordingSid: recordingSid, RecordingUrl: url, RecordingChannels: '1', RecordingSource: 'RecordVerb' };
  return {
    call: { ...call, CallStatus: 'ringing', FromCountry: 'US' },
    call_action: { ...call, CallStatus: 'completed', RecordingUrl: url, RecordingDuration: '17', Digits: 'hangup' },
    call_status: { ...call, CallStatus: 'completed', CallDuration: '40' },
    recording: { ...recording, RecordingStatus: 'completed', RecordingDuration: '17' },
    transcription: { ...call, TranscriptionSid: transcriptionSid, TranscriptionStatus: 'completed', TranscriptionText: 'Please call me back.', RecordingSid: recordingSid, RecordingUrl: url },
  };
}
export type Step = keyof ReturnType<typeof formsOf>;

/** What ingest publishes of a step. */
export function stepEvent(call: TestCall, step: Step, { form = {}, at = new Date() }: { readonly form?: Record<string, string>; readonly at?: Date } = {}): Envelope<'webhook.received.twilio'> {
  const { connectionId, tenantId } = call.connection;
  const body = JSON.stringify({ kind: step, query: {}, form: { ...formsOf(call)[step], ...form } });
  return { eventId: newId('evt'), type: 'webhook.received.twilio', version: 1, tenantId, occurredAt: at.toISOString(), orderingKey: call.callSid, payload: { webhookId: newId('whk'), connectionId, body, receivedAt: at.toISOString() } };
}

/** Twilio's files of recordings: there, or away with a status. */
export async function startRecordings() {
  const away = new Map<string, number>();
  const asked: string[] = [];
  const meanwhile = new Map<string, () => Promise<void>>();
  const server = createServer(async (request, response) => {
    const [, recordingSid = ''] = /\/Recordings\/(RE\w+)/.exec(request.url ?? '') ?? [];
    asked.push(recordingSid);
    await meanwhile.get(recordingSid)?.();
    const status = away.get(recordingSid);
    if (status === undefined) response.writeHead(200, { 'content-type': 'audio/mpeg' }).end(`the voice of ${recordingSid}`);
    else response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return {
    url: `http://127.0.0.1:${port}`,
    away,
    asked,
    /** What happens before a file is answered, by its recording. */
    meanwhile,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function makeConnection(tenantId: TenantId, apiBaseUrl: string, settings: Record<string, string> = {}): ConnectionWithSecrets {
  const accountSid = sid('AC', tenantId === 'acme' ? 'a' : 'b');
  return {
    tenantId, connectionId: newId('con'), provider: 'twilio', role: 'channel', status: 'active', version: 1,
    routingIdentifiers: { accountSid, account: accountSid, sender: `${accountSid}/+15005550006` },
    settings: { accountSid, phoneNumber: '+15005550006', channels: 'sms,voice', language: 'en-US', transcribe: 'true', voicemailMaxSeconds: '120', apiBaseUrl, ...settings },
    credentials: { authToken: 't'.repeat(32) },
  };
}

/** What was told, each thing once, as consumers see it: by its event's id. */
export function heardOf(published: readonly Envelope[], tenantId: TenantId): Heard[] {
  const once = new Map(published.filter((event) => event.tenantId === tenantId && event.type !== 'voicemail.check').map((event) => [event.eventId, event]));
  return [...once.values()].map(({ type, payload }) => {
    const fields = payload as { contact?: { address: string }; content?: MessageContent };
    return { type, ...(fields.contact === undefined ? {} : { address: fields.contact.address }), ...(fields.content === undefined ? {} : { content: fields.content }), payload: payload as Record<string, unknown> };
  });
}

/** The connector as it runs, with a clock that a test turns; the bus is the test. */
export async function startVoicemailHub() {
  const database = await startTestDatabase();
  await prepareServices([service], { adminUrl: database.adminUrl, driver: 'embedded', rolePassword: testRolePassword });
  const db = createDatabase({ url: database.url('switchboard_twilio'), schema: 'twilio', connectionsMax: 8, createClient: (adapter) => new PrismaClient({ adapter }) });
  const recordings = await startRecordings();
  const connections = new Map<ConnectionId, ConnectionWithSecrets>();
  const clock = { now: Date.UTC(2026, 10, 22, 9) };
  const published: Envelope[] = [];
  const config = service.config.parse({ mediaDir: tmpdir(), mediaUrlSecret: 's'.repeat(32), publicWebhookUrl: 'https://hub.example.net', twilioTranscriptWaitSeconds: '120' });

  /** A process of the connector; another one knows nothing but the database. */
  async function startProcess() {
    const kit = testKit({ name: 'twilio-connector', config, db, now: () => new Date(clock.now), answer: ({ input }) => connections.get((input.params as { connectionId: ConnectionId }).connectionId) });
    const { consumers = [], tasks = [] } = await service.build(kit);
    /** Handles an event as the bus would; `dies` ends the process with nothing of it stored. */
    async function handle(event: Envelope, { attempt = 1, dies = false } = {}): Promise<void> {
      const consumer = consumers.find(({ type, delivery }) => type === event.type && delivery !== 'broadcast') as Subscription; // every test's event has one
      const kept = kit.published.length;
      const commit = (effect: () => Promise<void>) =>
        db.transaction(async () => {
          await effect();
          if (dies) throw new Error('the process was killed');
        });
      try {
        await runAsTenant(event.tenantId, () => consumer.handle(event, { attempt, signal: new AbortController().signal, commit }));
      } catch (error) {
        // What an open transaction publishes goes with it.
        if (dies) kit.published.splice(kept);
        throw error;
      }
      published.push(...kit.published.splice(0));
    }
    return { handle, tasks };
  }

  return {
    recordings, clock, connections, published, startProcess,
    connect(tenantId: TenantId, settings: Record<string, string> = {}): ConnectionWithSecrets {
      const connection = makeConnection(tenantId, recordings.url, settings);
      connections.set(connection.connectionId, connection);
      return connection;
    },
    step: (call: TestCall, step: Step, form: Record<string, string> = {}) => stepEvent(call, step, { form, at: new Date(clock.now) }),
    heard: (tenantId: TenantId) => heardOf(published, tenantId),
    /** Looks that are planned and have not been taken. */
    checks: () => published.filter(({ type }) => type === 'voicemail.check'),
    rows: <Row extends object>(tenantId: TenantId, sql: string, values: readonly unknown[] = []) => runAsTenant(tenantId, () => db.transaction(() => db.sql.query<Row>(sql, values))),
    async stop(): Promise<void> {
      await recordings.stop();
      await db.close();
      await database.drop();
    },
  };
}
export type VoicemailHub = Awaited<ReturnType<typeof startVoicemailHub>>;
