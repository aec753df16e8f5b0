import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { connectorService, type ConnectorDefinition } from '@switchboard/connector-kit';
import { hubError, newId, type ConnectionId, type ConnectionWithSecrets, type Envelope, type MessageContent, type MessageId, type TenantId } from '@switchboard/contracts';
import { createDatabase, type Database } from '@switchboard/db';
import type { Subscription } from '@switchboard/event-bus';
import { prepareServices } from '@switchboard/service-kit';
import { testKit } from '@switchboard/service-kit/testing';
import { runAsTenant } from '@switchboard/tenant-context';
import { startTestDatabase, testRolePassword, testTenants, type TestDatabase } from '@switchboard/testing';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connector } from '../src/connector.ts';
import { service } from '../src/service.ts';
import { startFakeMeta, type FakeMeta } from './fake-meta.ts';

const [acme, globex] = testTenants;
const prismaDirectory = new URL('../prisma/', import.meta.url);

let database: TestDatabase;
let db: Database<unknown>;
let meta: FakeMeta;
let mediaDir: string;
let connections: Map<ConnectionId, ConnectionWithSecrets>;

beforeAll(async () => {
  database = await startTestDatabase();
  // The cast drops the service's own config type.
  await prepareServices([service], { adminUrl: database.adminUrl, driver: 'embedded', rolePassword: testRolePassword });
  db = createDatabase({ url: database.url('switchboard_whatsapp'), schema: 'whatsapp', connectionsMax: 4, createClient: () => undefined });
  meta = await startFakeMeta();
  mediaDir = await mkdtemp(join(tmpdir(), 'switchboard-media-'));
}, 60_000);

afterAll(async () => {
  await meta?.close();
  await db?.close();
  await database?.drop();
  await rm(mediaDir, { recursive: true, force: true });
});

beforeEach(() => {
  meta.requests.length = 0;
  meta.answers.length = 0;
  meta.answer = undefined;
  connections = new Map();
});

function connect(tenantId: TenantId, more: Partial<ConnectionWithSecrets> = {}): ConnectionWithSecrets {
  const connection: ConnectionWithSecrets = {
    tenantId,
    connectionId: newId('con'),
    provider: 'whatsapp',
    role: 'channel',
    status: 'active',
    version: 1,
    routingIdentifiers: { phoneNumberId: `7001${tenantId.length}` },
    settings: { apiBaseUrl: meta.url },
    credentials: { accessToken: `token-of-${tenantId}`, appSecret: 'app-secret', verifyToken: 'verify' },
    ...more,
  };
  connections.set(connection.connectionId, connection);
  return connection;
}

/** Events whose effect was stored, as the bus's inbox knows them. */
const inbox = new Set<string>();

/** The same database, with something else happening before its n-th transaction. */
function withInterruption(before: (count: number) => Promise<void>): Database<unknown> {
  let count = 0;
  const transaction: typeof db.transaction = async (fn) => {
    await before(++count);
    return db.transaction(fn);
  };
  // The cast is safe: the very database, with one method more of its own.
  return Object.create(db, { transaction: { value: transaction } }) as typeof db;
}

/** A running connector, as far as its consumers are concerned; a second one is the same connector after a restart, or another process of it. */
async function startConnector(definition: ConnectorDefinition = connector, itsDatabase = db, isMissing: () => unknown = () => undefined) {
  const options = connectorService(definition, { name: 'whatsapp-connector', port: 0, schema: 'whatsapp', prismaDirectory });
  const config = options.config.parse({ mediaDir, mediaUrlSecret: 's'.repeat(32), publicWebhookUrl: 'https://hub.example.net' });
  // Read as the caller: another tenant's connection is a missing one, as tenant-service answers.
  const kit = testKit({ name: 'whatsapp-connector', config, db: itsDatabase, answer: ({ input }) => connections.get((input.params as { connectionId: ConnectionId }).connectionId) ?? isMissing() });
  const { consumers = [], tasks = [], onStop } = await options.build(kit);
  const consumerOf = (event: Envelope) => consumers.find(({ type }) => type === event.type) as Subscription; // every test's event has one
  return {
    published: kit.published,
    /** Handles an event as the bus would; `dies` ends the process before the outcome is stored. */
    async handle(event: Envelope, { attempt = 1, dies = false } = {}): Promise<void> {
      const commit = async (effect: () => Promise<void>) => {
        if (dies) throw new Error('the process was killed');
        if (consumerOf(event).effect === 'external' && inbox.has(event.eventId)) return;
        await db.transaction(effect);
        inbox.add(event.eventId);
      };
      await runAsTenant(event.tenantId, () => consumerOf(event).handle(event, { attempt, signal: new AbortController().signal, commit }));
    },
    /** As the bus does before it stores a dead letter. */
    giveUp: (event: Envelope, reason: { code: string; message: string }) => runAsTenant(event.tenantId, () => db.transaction(async () => consumerOf(event).giveUp?.(event, reason))),
    runTasks: async () => {
      for (const task of tasks) await task.run();
    },
    registry: kit.registry,
    /** Ends it; what it tells of its connections every now and then is told now. */
    async stop() {
      await onStop?.();
      return kit.published.filter(({ type }) => type === 'connection.health').map(({ tenantId, payload }) => ({ tenantId, ...(payload as Record<string, unknown>) }));
    },
    statuses: () => kit.published.filter(({ type }) => type === 'message.status').map(({ payload }) => payload as Record<string, unknown>),
  };
}

function commandOf({ tenantId, connectionId }: ConnectionWithSecrets, content: MessageContent, messageId: MessageId = newId('msg')): Envelope {
  const conversationId = newId('cnv');
  const payload = { messageId, conversationId, connectionId, contact: { address: '15005550123', aliases: {} }, author: 'agent' as const, content, attributes: {}, sentAt: new Date().toISOString() };
  return { eventId: newId('evt'), type: 'message.send.whatsapp', version: 1, tenantId, occurredAt: new Date().toISOString(), orderingKey: conversationId, payload };
}

function webhookEvent({ tenantId, connectionId, routingIdentifiers }: ConnectionWithSecrets, value: object): Envelope {
  const body = JSON.stringify({ object: 'whatsapp_business_account', entry: [{ id: '9', changes: [{ field: 'messages', value: { metadata: { phone_number_id: routingIdentifiers['phoneNumberId'] }, ...value } }] }] });
  const payload = { webhookId: newId('whk'), connectionId, body, receivedAt: new Date().toISOString() };
  return { eventId: newId('evt'), type: 'webhook.received.whatsapp', version: 1, tenantId, occurredAt: new Date().toISOString(), orderingKey: 'k', payload };
}

const graphError = (code: number) => ({ status: 400, body: { error: { code, message: 'no', error_data: { details: 'why' } } } });
const text = (words: string): MessageContent => ({ kind: 'text', text: words });
/** Two messages at WhatsApp. */
const longText = text(`${'first '.repeat(600)}\n\n${'second '.repeat(400)}`);
const callsOf = (path: string) => meta.requests.filter((request) => request.path.endsWith(path));

describe('delivering', () => {
  it('sends once with the tenant\'s token and number, and tells the provider\'s id', async () => {
    const connection = connect(acme);
    const hub = await startConnector();
    const command = commandOf(connection, text('hello'));
    await hub.handle(command);
    expect(meta.requests.map(({ path, authorization }) => ({ path, authorization }))).toEqual([{ path: `/v25.0/${connection.routingIdentifiers['phoneNumberId']}/messages`, authorization: 'Bearer token-of-acme' }]);
    expect(hub.statuses()).toMatchObject([{ status: 'sent', providerMessageId: expect.stringMatching(/^wamid\.OUT/), connectionId: connection.connectionId }]);
    expect(hub.published[0]?.orderingKey).toBe(command.orderingKey);
  });

  it('does not send again what was being sent when the process died, and says that the outcome is unknown', async () => {
    const connection = connect(acme);
    const command = commandOf(connection, text('once at most'));
    await expect((await startConnector()).handle(command, { dies: true })).rejects.toThrow('killed');
    const restarted = await startConnector();
    await restarted.handle(command, { attempt: 2 });
    expect(meta.requests).toHaveLength(1);
    expect(restarted.statuses()).toMatchObject([{ status: 'failed', error: { code: 'delivery.outcome_unknown' } }]);
  });

  it('sends the same bytes again where the provider takes our id as a key', async () => {
    const connection = connect(acme);
    const command = commandOf(connection, text('twice is once'));
    const idempotent = { ...connector, sendIsIdempotent: true };
    await expect((await startConnector(idempotent)).handle(command, { dies: true })).rejects.toThrow('killed');
    // A new release renders otherwise; what was claimed goes out as it was.
    const restarted = await startConnector({ ...idempotent, renderMessage: () => ({ kind: 'parts', parts: [{ body: { rendered: 'otherwise' } }] }) });
    await restarted.handle(command, { attempt: 2 });
    expect(meta.requests).toHaveLength(2);
    expect(meta.requests[1]?.body.equals(meta.requests[0]?.body ?? Buffer.alloc(0))).toBe(true);
    expect(restarted.statuses()).toMatchObject([{ status: 'sent' }]);
  });

  it('marks a message whose answer was lost, and does not repeat it', async () => {
    meta.answers.push(undefined);
    const hub = await startConnector();
    await hub.handle(commandOf(connect(acme), text('lost answer')));
    expect(meta.requests).toHaveLength(1);
    expect(hub.statuses()).toMatchObject([{ status: 'failed', error: { code: 'delivery.outcome_unknown' } }]);
  });

  it('leaves a message queued while the provider says "later", then sends it', async () => {
    const connection = connect(acme);
    const hub = await startConnector();
    const command = commandOf(connection, text('patience'));
    meta.answers.push(graphError(131_000));
    await expect(hub.handle(command)).rejects.toMatchObject({ code: 'provider.unavailable', retry: 'later' });
    expect(hub.statuses()).toEqual([]);
    await hub.handle(command, { attempt: 2 });
    expect(meta.requests).toHaveLength(2);
    expect(hub.statuses()).toMatchObject([{ status: 'sent' }]);
  });

  it('fails a message that waiting will not help, in plain words, without an exception', async () => {
    const hub = await startConnector();
    meta.answers.push(graphError(131_047));
    await hub.handle(commandOf(connect(acme), text('too late')));
    expect(hub.statuses()).toMatchObject([{ status: 'failed', error: { code: 'message.window_closed', providerCode: '131047', message: expect.stringContaining('24 hours') } }]);
  });

  it('fails what WhatsApp has no form for, and what a disabled connection should send, without a call', async () => {
    const hub = await startConnector();
    await hub.handle(commandOf(connect(acme), { kind: 'unsupported', providerType: 'card', raw: {} }));
    await hub.handle(commandOf(connect(acme, { status: 'disabled' }), text('nowhere')));
    expect(meta.requests).toEqual([]);
    expect(hub.statuses()).toMatchObject([{ error: { code: 'message.unsupported_content' } }, { error: { code: 'connection.not_active' } }]);
  });

  it('goes on with the part that failed, and never repeats the parts before it', async () => {
    const connection = connect(acme);
    const command = commandOf(connection, longText);
    const hub = await startConnector();
    meta.answers.push({ status: 200, body: { messages: [{ id: 'wamid.PART0' }] } }, graphError(2));
    await expect(hub.handle(command)).rejects.toMatchObject({ retry: 'later' });
    await (await startConnector()).handle(command, { attempt: 2, dies: false });
    const bodies = meta.requests.map(({ body }) => (JSON.parse(body.toString()) as { text: { body: string } }).text.body.slice(0, 6));
    expect(bodies).toEqual(['first ', 'second', 'second']);
  });

  it('does not repeat a later part that was being sent when the process died', async () => {
    const command = commandOf(connect(acme), longText);
    await expect((await startConnector()).handle(command, { dies: true })).rejects.toThrow('killed');
    const restarted = await startConnector();
    await restarted.handle(command, { attempt: 2 });
    expect(meta.requests).toHaveLength(2);
    expect(restarted.statuses()).toMatchObject([{ status: 'failed', error: { code: 'delivery.outcome_unknown' } }]);
  });

  it('leaves a later part to the process that claimed it first', async () => {
    const command = commandOf(connect(acme), longText);
    const { messageId } = command.payload as { messageId: string };
    const claimElsewhere = () => db.sql.query(`update deliveries set state = 'claimed' where message_id = $1 and part = 1`, [messageId]);
    // Its transactions: the plan, the first part's outcome, the second part's claim.
    const late = await startConnector(connector, withInterruption(async (count) => void (count === 3 && (await db.transaction(claimElsewhere)))));
    await expect(late.handle(command)).rejects.toMatchObject({ code: 'service.unavailable', retry: { counted: false } });
    expect(meta.requests).toHaveLength(1);
  });

  it('tries new credentials once when the kept ones are refused', async () => {
    const connection = connect(acme);
    const hub = await startConnector();
    await hub.handle(commandOf(connection, text('warm')));
    connections.set(connection.connectionId, { ...connection, version: 2, credentials: { ...connection.credentials, accessToken: 'rotated-token' } });
    meta.answer = ({ authorization }) => (authorization === 'Bearer rotated-token' ? { status: 200, body: { messages: [{ id: 'wamid.ROTATED' }] } } : graphError(190));
    await hub.handle(commandOf(connection, text('after rotation')));
    expect(hub.statuses().at(-1)).toMatchObject({ status: 'sent', providerMessageId: 'wamid.ROTATED' });
  });

  it('holds messages while the account is refused, and sends them once that is mended', async () => {
    const connection = connect(acme);
    const hub = await startConnector();
    const command = commandOf(connection, text('wait for new credentials'));
    for (const code of [190, 10, 133_010]) {
      meta.answers.push(graphError(code));
      await expect(hub.handle(command)).rejects.toMatchObject({ retry: { afterMs: 60_000, counted: false } });
    }
    const older = { ...command, occurredAt: new Date(Date.now() - 20 * 60_000).toISOString() };
    meta.answers.push(graphError(190));
    await expect(hub.handle(older)).rejects.toMatchObject({ code: 'provider.unauthorized', retry: { afterMs: expect.closeTo(5 * 60_000, -3), counted: false } });
    expect(hub.statuses()).toEqual([]);
    expect(await hub.registry.getSingleMetricAsString('connector_messages_held_total')).toContain('code="provider.unauthorized"} 2');
    await hub.handle(command);
    expect(hub.statuses()).toMatchObject([{ status: 'sent' }]);
  });

  it('fails a message that only its recipient\'s country is closed to', async () => {
    const hub = await startConnector();
    meta.answers.push(graphError(130_497));
    await hub.handle(commandOf(connect(acme), text('not there')));
    expect(hub.statuses()).toMatchObject([{ status: 'failed', error: { code: 'provider.forbidden' } }]);
  });

  it('says that a message was given up, in the provider\'s last words, and of one that was being sent that nobody knows', async () => {
    const connection = connect(acme);
    const hub = await startConnector();
    const command = commandOf(connection, text('in vain'));
    meta.answers.push(graphError(131_000));
    await expect(hub.handle(command)).rejects.toMatchObject({ retry: 'later' });
    await hub.giveUp(command, { code: 'provider.unavailable', message: 'WhatsApp has a temporary fault.' });
    expect(hub.statuses()).toMatchObject([{ status: 'failed', error: { code: 'delivery.given_up', message: expect.stringContaining('temporary fault') } }]);
    await hub.giveUp(command, { code: 'internal', message: 'select secret from table' });
    expect(JSON.stringify(hub.statuses()[1])).not.toContain('select');
    expect(hub.published[1]?.eventId).toBe(hub.published[0]?.eventId);

    // Redriven, it goes out all the same, and says so.
    await hub.handle(command);
    expect(hub.statuses().at(-1)).toMatchObject({ status: 'sent' });
    expect(hub.published[2]?.eventId).not.toBe(hub.published[0]?.eventId);

    const begun = commandOf(connection, text('begun'));
    await expect(hub.handle(begun, { dies: true })).rejects.toThrow('killed');
    await hub.giveUp(begun, { code: 'internal', message: 'x' });
    expect(hub.statuses().at(-1)).toMatchObject({ status: 'failed', error: { code: 'delivery.outcome_unknown' } });

    const before = hub.published.length;
    await hub.giveUp(commandOf(connection, { kind: 'typing', on: true }), { code: 'provider.unavailable', message: 'x' });
    expect(hub.published).toHaveLength(before);
  });

  it('sends once when two processes believe that the message is theirs', async () => {
    const command = commandOf(connect(acme), text('one of us'));
    meta.answers.push(graphError(131_000));
    await expect((await startConnector()).handle(command)).rejects.toMatchObject({ retry: 'later' });
    const other = await startConnector();
    // The first transaction reads what is planned, the second one claims it.
    const late = await startConnector(connector, withInterruption(async (count) => count === 2 ? other.handle(command, { attempt: 2 }) : undefined));
    await expect(late.handle(command, { attempt: 2 })).rejects.toMatchObject({ code: 'service.unavailable', retry: { counted: false } });
    expect(meta.requests).toHaveLength(2);
    expect(other.statuses()).toMatchObject([{ status: 'sent' }]);
  });

  it('records a success although another process has called the outcome unknown meanwhile', async () => {
    const command = commandOf(connect(acme), text('slow'));
    const successor = await startConnector();
    const send: typeof connector.client.send = async (part, context) => {
      const delivered = await connector.client.send(part, context);
      await successor.handle(command, { attempt: 2 });
      return delivered;
    };
    const slow = await startConnector({ ...connector, client: { ...connector.client, send } });
    await slow.handle(command);
    expect(meta.requests).toHaveLength(1);
    expect(successor.statuses()).toMatchObject([{ error: { code: 'delivery.outcome_unknown' } }]);
    expect(slow.statuses()).toMatchObject([{ status: 'sent', providerMessageId: expect.stringMatching(/^wamid/) }]);
    expect(slow.published[0]?.eventId).not.toBe(successor.published[0]?.eventId);
    const { messageId } = command.payload as { messageId: string };
    const rows = await runAsTenant(acme, () => db.transaction(() => db.sql.query('select state, provider_message_id, error_code from deliveries where message_id = $1', [messageId])));
    expect(rows).toEqual([{ state: 'sent', provider_message_id: slow.statuses()[0]?.['providerMessageId'], error_code: null }]);
  });

  it('sends a message to each connection that it is for, under one message id', async () => {
    const messageId = newId('msg');
    const hub = await startConnector();
    const [first, second] = [connect(acme), connect(acme, { routingIdentifiers: { phoneNumberId: '7002' } })];
    await hub.handle(commandOf(first, text('to both'), messageId));
    await hub.handle(commandOf(second, text('to both'), messageId));
    expect(meta.requests.map(({ path }) => path)).toEqual(['/v25.0/70014/messages', '/v25.0/7002/messages']);
    expect(hub.statuses()).toMatchObject([{ connectionId: first.connectionId, status: 'sent' }, { connectionId: second.connectionId, status: 'sent' }]);
  });

  it('fails a message of white space alone instead of calling it sent', async () => {
    const hub = await startConnector();
    await hub.handle(commandOf(connect(acme), text(' \n\t')));
    expect(meta.requests).toEqual([]);
    expect(hub.statuses()).toMatchObject([{ status: 'failed', error: { code: 'message.unsupported_content' } }]);
  });

  it('repeats no secret that WhatsApp quotes, in its answers and in its statuses', async () => {
    const connection = connect(acme);
    const hub = await startConnector();
    const quoting = { code: 999_999, message: 'no', error_data: { details: 'Cannot use token-of-acme for this' } };
    meta.answers.push({ status: 400, body: { error: quoting } });
    await hub.handle(commandOf(connection, text('hello')));
    await hub.handle(webhookEvent(connection, { statuses: [{ id: 'wamid.X', status: 'failed', timestamp: '1790000104', recipient_id: '15005550123', errors: [quoting] }] }));
    expect(hub.statuses().map(({ error }) => (error as { message: string }).message)).toEqual([expect.stringContaining('Cannot use … for this'), expect.stringContaining('Cannot use … for this')]);
    const rows = await runAsTenant(acme, () => db.transaction(() => db.sql.query(`select from deliveries where error_message like '%token-of-acme%'`)));
    expect(rows).toEqual([]);
  });

  it('holds back a contact whose pair was throttled, and nobody else', async () => {
    const connection = connect(acme);
    const hub = await startConnector();
    meta.answers.push(graphError(131_056));
    await expect(hub.handle(commandOf(connection, text('too fast')))).rejects.toMatchObject({ code: 'provider.throttled', retry: { afterMs: 6_000 } });
    await expect(hub.handle(commandOf(connection, text('still too fast')))).rejects.toMatchObject({ code: 'provider.throttled' });
    expect(meta.requests).toHaveLength(1);
    const other = commandOf(connection, text('somebody else'));
    await hub.handle({ ...other, payload: { ...(other.payload as object), contact: { address: '15005550124', aliases: {} } } } as Envelope); // the same command to another contact
    expect(meta.requests).toHaveLength(2);
  });

  it('keeps the deliveries of two tenants apart, even under one message id', async () => {
    const messageId = newId('msg');
    const hub = await startConnector();
    await hub.handle(commandOf(connect(acme), text('of acme'), messageId));
    await hub.handle(commandOf(connect(globex), text('of globex'), messageId));
    expect(callsOf('/messages').map(({ authorization }) => authorization)).toEqual(['Bearer token-of-acme', 'Bearer token-of-globex']);
    for (const [tenant, own, other] of [[acme, 'of acme', 'of globex'], [globex, 'of globex', 'of acme']] as const) {
      const rows = await runAsTenant(tenant, () => db.transaction(() => db.sql.query<{ request: string }>('select request from deliveries where message_id = $1', [messageId])));
      expect(rows).toHaveLength(1);
      expect(rows[0]?.request).toContain(own);
      expect(rows[0]?.request).not.toContain(other);
    }
  });

  it('lets a typing signal go when it cannot be sent, and keeps no record of it', async () => {
    const connection = connect(acme);
    const hub = await startConnector();
    meta.answers.push(graphError(131_000));
    const typing = commandOf(connection, { kind: 'typing', on: true });
    await hub.handle({ ...typing, payload: { ...(typing.payload as object), replyToProviderMessageId: 'wamid.T1' } } as Envelope); // the same command, answering a message
    expect(meta.requests.map(({ body }) => JSON.parse(body.toString()) as unknown)).toEqual([{ messaging_product: 'whatsapp', status: 'read', message_id: 'wamid.T1', typing_indicator: { type: 'text' } }]);
    expect(hub.published).toEqual([]);
  });
});

describe('files', () => {
  const image = { from: '15005550123', id: 'wamid.I1', timestamp: '1790000000', type: 'image', image: { mime_type: 'image/jpeg', id: '5550001' } };

  it('are downloaded with the connection\'s token, kept by content, and uploaded for the other side', async () => {
    const connection = connect(acme);
    const hub = await startConnector();
    meta.answer = ({ path }) => {
      if (path.startsWith('/v25.0/5550001')) return { status: 200, body: { url: `${meta.url}/file/5550001`, mime_type: 'image/jpeg', file_size: '4' } };
      if (path === '/file/5550001') return { status: 200, body: Buffer.from([0xff, 0xd8, 0xff, 0xe0]) };
      if (path.endsWith('/media')) return { status: 200, body: { id: '777' } };
      return { status: 200, body: { messages: [{ id: 'wamid.SENT' }] } };
    };
    await hub.handle(webhookEvent(connection, { messages: [image] }));
    expect(new Set(meta.requests.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer token-of-acme']));
    const received = hub.published[0]?.payload as { content: Extract<MessageContent, { kind: 'image' }> };
    expect(received.content.media).toMatchObject({ mediaKey: expect.stringMatching(/^[0-9a-f]{64}$/), size: 4, mimeType: 'image/jpeg' });

    await hub.handle(commandOf(connection, { ...received.content, media: { ...received.content.media, caption: 'back to you' } }));
    expect(callsOf('/media')[0]?.body.includes(Buffer.from([0xff, 0xd8, 0xff, 0xe0]))).toBe(true);
    expect(JSON.parse(callsOf('/messages')[0]?.body.toString() ?? '')).toMatchObject({ type: 'image', image: { id: '777', caption: 'back to you' } });

    // Another tenant that names the key finds no file.
    const stranger = await startConnector();
    await stranger.handle(commandOf(connect(globex), received.content));
    expect(stranger.statuses()).toMatchObject([{ status: 'failed', error: { code: 'media.not_found' } }]);
  });

  it('that stay away are asked for again, then the message goes on with a note', async () => {
    const connection = connect(acme);
    const hub = await startConnector();
    meta.answer = ({ path }) => (path === '/file/1' ? { status: 404, body: {} } : { status: 200, body: { url: `${meta.url}/file/1` } });
    const event = webhookEvent(connection, { messages: [image] });
    await expect(hub.handle(event)).rejects.toMatchObject({ code: 'media.unavailable', retry: 'later' });
    await hub.handle(event, { attempt: 4 });
    expect(hub.published).toMatchObject([{ type: 'message.received', payload: { content: { kind: 'image', media: { unavailable: expect.stringContaining('404') } } } }]);
  });

  it('whose own host breaks off leave the message unsent, to be sent when the host is back', async () => {
    const connection = connect(acme);
    const hub = await startConnector();
    const command = commandOf(connection, { kind: 'file', media: { url: `${meta.url}/invoice.pdf`, mimeType: 'application/pdf' } });
    meta.answer = () => undefined;
    await expect(hub.handle(command)).rejects.toMatchObject({ code: 'egress.failed', retry: 'later' });
    expect(hub.statuses()).toEqual([]);
    meta.answer = undefined;
    meta.answers.push({ status: 200, body: Buffer.from('%PDF') }, { status: 200, body: { id: '888' } }, { status: 200, body: { messages: [{ id: 'wamid.FILE' }] } });
    await hub.handle(command, { attempt: 2 });
    expect(hub.statuses()).toMatchObject([{ status: 'sent', providerMessageId: 'wamid.FILE' }]);
  });

  it('of a number that is throttled for long do not keep the contact\'s words from the agents', async () => {
    const connection = connect(acme);
    const hub = await startConnector();
    meta.answer = () => graphError(130_429);
    const event = webhookEvent(connection, { messages: [image] });
    await expect(hub.handle(event)).rejects.toMatchObject({ code: 'provider.throttled' });
    // Waiting for a throttle is no attempt.
    await hub.handle({ ...event, occurredAt: new Date(Date.now() - 11 * 60_000).toISOString() });
    expect(hub.published).toMatchObject([{ type: 'message.received', payload: { content: { media: { unavailable: expect.any(String) } } } }]);
  });

  it('never get the token at a host that is not Meta\'s', async () => {
    const connection = connect(acme);
    const elsewhere = await startFakeMeta();
    const hub = await startConnector();
    meta.answer = () => ({ status: 200, body: { url: `${elsewhere.url}/steal` } });
    await hub.handle(webhookEvent(connection, { messages: [image] }));
    expect(elsewhere.requests).toEqual([]);
    expect(hub.published).toHaveLength(1);
    await elsewhere.close();
  });
});

describe('receiving', () => {
  it('publishes the same events when a webhook is handled twice, in the order of the contact', async () => {
    const connection = connect(acme);
    const hub = await startConnector();
    const event = webhookEvent(connection, { contacts: [{ wa_id: '15005550123', profile: { name: 'Ada\u0000 L.' } }], messages: [{ from: '15005550123', id: 'wamid.T1', timestamp: '1790000000', type: 'text', text: { body: 'hi \ud83d' } }] });
    await hub.handle(event);
    await hub.handle(event, { attempt: 2 });
    expect(hub.published).toHaveLength(2);
    expect(hub.published[1]?.eventId).toBe(hub.published[0]?.eventId);
    expect(hub.published[0]).toMatchObject({ orderingKey: `${connection.connectionId}:15005550123`, payload: { contact: { name: 'Ada L.' }, content: { text: 'hi \ufffd' } } });
  });

  it('finds our message by the provider\'s id, for its own tenant alone', async () => {
    const connection = connect(acme);
    const hub = await startConnector();
    const command = commandOf(connection, text('status by id'));
    await hub.handle(command);
    const status = { id: hub.statuses()[0]?.['providerMessageId'], status: 'delivered', timestamp: '1790000104', recipient_id: '15005550123' };
    await hub.handle(webhookEvent(connection, { statuses: [status] }));
    expect(hub.statuses().at(-1)).toMatchObject({ status: 'delivered', messageId: (command.payload as { messageId: string }).messageId });
    await hub.handle(webhookEvent(connect(globex), { statuses: [status] }));
    expect(hub.statuses().at(-1)?.['messageId']).toBeUndefined();
  });

  it('calls a message of several parts what holds for all of them, whatever the order of the news', async () => {
    const told = await tellOfParts();
    expect(await told(1, 'delivered')).toEqual([]);
    expect(await told(0, 'read')).toEqual(['delivered']);
    // Late: the first part was read already.
    expect(await told(0, 'delivered')).toEqual(['delivered']);
    expect(await told(0, 'sent')).toEqual(['delivered']);
    expect(await told(1, 'read')).toEqual(['read']);
  });

  it('calls a message failed when any part failed, and delivered only once that proves wrong', async () => {
    const told = await tellOfParts();
    expect(await told(0, 'failed')).toEqual(['failed']);
    expect(await told(1, 'read')).toEqual([]);
    expect(await told(0, 'sent')).toEqual([]);
    expect(await told(0, 'delivered')).toEqual(['delivered']);
  });

  /** A message of two parts; the function has Meta say something of one of them and returns what the hub tells of the message. */
  async function tellOfParts() {
    const connection = connect(acme);
    const hub = await startConnector();
    const command = commandOf(connection, longText);
    await hub.handle(command);
    const { messageId } = command.payload as { messageId: string };
    return async (part: number, status: string) => {
      const before = hub.published.length;
      await hub.handle(webhookEvent(connection, { statuses: [{ id: `wamid.P${part}`, status, timestamp: '1790000104', recipient_id: '15005550123', biz_opaque_callback_data: `${messageId}.${part}` }] }));
      return hub.statuses().slice(before).map((payload) => payload['status']);
    };
  }
});

describe('retention', () => {
  it('deletes old deliveries of every tenant in short transactions along an index, and nothing else', async () => {
    const old = `insert into deliveries (tenant_id, message_id, connection_id, part, state, request, created_at) select $1, 'old_' || n, 'con_x', 0, 'sent', '{}', now() - interval '61 days' from generate_series(1, 2500) n`;
    for (const tenant of [acme, globex]) await runAsTenant(tenant, () => db.transaction(() => db.sql.query(old, [tenant])));
    const kept = commandOf(connect(acme), text('new'));
    await (await startConnector()).handle(kept);
    let transactions = 0;
    const hub = await startConnector(connector, withInterruption(async (count) => void (transactions = count)));
    await hub.runTasks();
    expect(transactions).toBe(3);
    for (const tenant of [acme, globex]) {
      const rows = await runAsTenant(tenant, () => db.transaction(() => db.sql.query(`select from deliveries where message_id like 'old_%'`)));
      expect(rows).toEqual([]);
    }
    const { messageId } = kept.payload as { messageId: string };
    expect(await runAsTenant(acme, () => db.transaction(() => db.sql.query('select part from deliveries where message_id = $1', [messageId])))).toEqual([{ part: 0 }]);
    const indexes = await runAsTenant(acme, () => db.transaction(() => db.sql.query<{ indexdef: string }>(`select indexdef from pg_indexes where schemaname = 'whatsapp'`)));
    expect(indexes.map(({ indexdef }) => indexdef)).toContainEqual(expect.stringMatching(/\(created_at\)$/));
  });
});

describe('how a connection does', () => {
  it('is told for each tenant\'s own: when the provider last took something, and what it last said against the account, without secrets', async () => {
    const [mine, theirs] = [connect(acme), connect(globex)];
    const hub = await startConnector();
    await hub.handle(commandOf(mine, text('hello')));
    meta.answers.push(graphError(190), graphError(190));
    await expect(hub.handle(commandOf(theirs, text('hello')))).rejects.toMatchObject({ code: 'provider.unauthorized' });
    const told = await hub.stop();
    expect(told).toMatchObject([
      { tenantId: acme, connectionId: mine.connectionId, provider: 'whatsapp', lastSuccessAt: expect.any(String) },
      { tenantId: globex, connectionId: theirs.connectionId, lastError: { code: 'provider.unauthorized', message: expect.stringContaining('refuses the access token'), at: expect.any(String) } },
    ]);
    expect(told[0]).not.toHaveProperty('lastError');
    expect(JSON.stringify(told)).not.toContain('token-of');
  });

  it('is not told by a message that the provider does not take', async () => {
    const connection = connect(acme);
    const hub = await startConnector();
    meta.answers.push(graphError(131_026));
    await hub.handle(commandOf(connection, text('hello')));
    expect(await hub.stop()).toEqual([]);
  });
});

describe('a connection that was deleted', () => {
  it('fails its messages at once, with a code that says so', async () => {
    const connection = connect(acme);
    connections.delete(connection.connectionId);
    const hub = await startConnector(connector, db, () => {
      throw hubError('connection.not_found');
    });
    await hub.handle(commandOf(connection, text('hello')));
    expect(hub.statuses()).toMatchObject([{ status: 'failed', error: { code: 'connection.not_found' } }]);
    expect(meta.requests).toEqual([]);
  });
});
