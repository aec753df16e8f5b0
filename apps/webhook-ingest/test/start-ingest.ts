import { findWebhookConnections, listWebhookConnections, newId, type ConnectionId, type TenantId, type WebhookConnection } from '@switchboard/contracts';
import { createServer as createHttpServer, type Server } from 'node:http';
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { prepareServices, startService, type RunningService } from '@switchboard/service-kit';
import { testEnvironment } from '@switchboard/service-kit/testing';
import { startTestDatabase, testRolePassword } from '@switchboard/testing';
import pg from 'pg';
import { service } from '../src/service.ts';

export const mediaUrlSecret = 'test media url secret, 32 characters and more';

/** webhook-ingest on a real Postgres behind a switchable wire, with a stand-in for tenant-service. */
export async function startIngest(options: { readonly mediaDir?: string; readonly env?: Readonly<Record<string, string>> } = {}) {
  const database = await startTestDatabase();
  await prepareServices([service], { adminUrl: database.adminUrl, driver: 'embedded', rolePassword: testRolePassword });
  const admin = new pg.Pool({ connectionString: database.adminUrl, max: 2 });
  // Whoever listens: rows of `pending_events` show what was published.
  for (const provider of ['whatsapp', 'genesys', 'chatwoot', 'botpress', 'twilio']) {
    await admin.query(`insert into bus.subscriptions (type, consumer_group, service, delivery) values ($1, 'listener', 'listener', 'group')`, [`webhook.received.${provider}`]);
  }
  const tenants = await startTenantService();
  const wire = await startWire(new URL(database.adminUrl));
  const through = (url: string) => {
    const changed = new URL(url);
    changed.hostname = '127.0.0.1';
    changed.port = String(wire.port);
    changed.searchParams.delete('host');
    return changed.href;
  };
  const clock = { aheadMs: 0 };
  const timed: typeof service = { ...service, build: (kit) => service.build({ ...kit, now: () => new Date(Date.now() + clock.aheadMs) }) };
  const start = (): Promise<RunningService> =>
    startService(
      timed,
      testEnvironment({
        DATABASE_URL: through(database.url('switchboard_ingest')),
        BUS_DATABASE_URL: database.url('switchboard_bus'),
        TENANT_SERVICE_URL: tenants.url,
        MEDIA_URL_SECRET: mediaUrlSecret,
        ...(options.mediaDir === undefined ? {} : { MEDIA_DIR: options.mediaDir }),
        ...options.env,
      }),
    );
  let running = await start();

  return {
    admin,
    /** The service's, which may run ahead of the real one. */
    clock,
    tenants,
    wire,
    get url() {
      return running.url;
    },
    async restart() {
      await running.stop();
      running = await start();
    },
    /** What was published, oldest first. */
    async published(): Promise<{ type: string; tenantId: string; eventId: string; orderingKey: string; payload: { webhookId: string; connectionId: string; body: string } }[]> {
      const { rows } = await admin.query<{ envelope: never }>(`select envelope from bus.pending_events where consumer_group = 'listener' order by id`);
      return rows.map((row) => row.envelope);
    },
    async stored(): Promise<{ tenant_id: string; webhook_id: string; connection_id: string; event_key: string; body: string }[]> {
      return (await admin.query('select * from ingest.webhooks order by webhook_id')).rows;
    },
    async quarantined(): Promise<{ reason: string; accounts: string[]; connection_id: string | null; body: Buffer }[]> {
      return (await admin.query('select * from ingest.quarantine order by quarantine_id')).rows;
    },
    async clear() {
      await admin.query('truncate ingest.webhooks, ingest.quarantine, ingest.unknown_accounts; delete from bus.pending_events');
    },
    /** As tenant-service publishes it. */
    async publishChange(connection: Pick<WebhookConnection, 'tenantId' | 'connectionId' | 'provider' | 'version'>, status: 'active' | 'disabled' | 'deleted' = 'active') {
      const { tenantId, ...rest } = connection;
      const envelope = { eventId: newId('evt'), type: 'connection.changed', version: 1, tenantId, occurredAt: new Date().toISOString(), orderingKey: connection.connectionId, payload: { ...rest, role: 'channel', status } };
      await admin.query('select bus.publish($1::jsonb)', [JSON.stringify([envelope])]);
    },
    async stop() {
      wire.mend();
      await running.stop();
      await wire.stop();
      await tenants.stop();
      await admin.end();
      await database.drop();
    },
  };
}
export type TestIngest = Awaited<ReturnType<typeof startIngest>>;

/** The two internal routes that ingest asks, over connections that a test may change at will. */
async function startTenantService() {
  const connections = new Map<ConnectionId, WebhookConnection>();
  const calls: string[] = [];
  let isAway = false;
  const server: Server = createHttpServer((request, response) => {
    if (isAway) {
      request.socket.destroy();
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      calls.push(`${request.method} ${request.url}`);
      const answer = (value: unknown) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
      const all = [...connections.values()];
      if (request.url?.startsWith(listWebhookConnections.path) === true && request.method === 'GET') return answer(listWebhookConnections.reply.schema.parse({ data: all, nextCursor: null }));
      const query = findWebhookConnections.body!.parse(JSON.parse(Buffer.concat(chunks).toString()));
      const found = all.filter(
        (connection) =>
          query.connectionIds.includes(connection.connectionId) ||
          query.routingIdentifiers.some((wanted) => connection.status === 'active' && connection.provider === wanted.provider && connection.routingIdentifiers[wanted.name] === wanted.value) ||
          (query.verifyToken !== undefined && connection.provider === query.verifyToken.provider && connection.verifyToken === query.verifyToken.value),
      );
      return answer(findWebhookConnections.reply.schema.parse({ connections: found }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections,
    calls,
    leave: () => void (isAway = true),
    comeBack: () => void (isAway = false),
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A wire to Postgres that can be cut (connections refused) or jammed (nothing moves). */
async function startWire(target: URL) {
  const sockets = new Set<Socket>();
  let state: 'good' | 'cut' | 'jammed' = 'good';
  const server = createTcpServer((client) => {
    if (state === 'cut') {
      client.destroy();
      return;
    }
    const upstream = connect(Number(target.port), target.hostname);
    for (const [from, to] of [[client, upstream], [upstream, client]] as const) {
      sockets.add(from);
      from.on('data', (chunk) => {
        if (state !== 'jammed') to.write(chunk);
      });
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const dropAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      state = 'cut';
      dropAll();
    },
    jam: () => void (state = 'jammed'),
    /** What was jammed is lost with its connections, as on a real network. */
    mend() {
      if (state === 'jammed') dropAll();
      state = 'good';
    },
    stop: () =>
      new Promise<void>((resolve) => {
        dropAll();
        server.close(() => resolve());
      }),
  };
}

let made = 0;

/** A WhatsApp connection of the tenant, as tenant-service would list it. */
export function whatsAppConnection(tenantId: TenantId, more: Partial<WebhookConnection> & { readonly appSecret: string; readonly phoneNumberId: string }): WebhookConnection {
  const { appSecret, phoneNumberId, ...rest } = more;
  return {
    tenantId,
    connectionId: newId('con'),
    provider: 'whatsapp',
    status: 'active',
    version: 1,
    routingIdentifiers: { phoneNumberId },
    webhookSecrets: [{ value: appSecret, expiresAt: null }],
    verifyToken: `verify-${phoneNumberId}`,
    ...rest,
  };
}

/** A Genesys connection of the tenant. */
export function genesysConnection(tenantId: TenantId, { webhookSecret, integrationId }: { readonly webhookSecret: string; readonly integrationId: string }): WebhookConnection {
  return { tenantId, connectionId: newId('con'), provider: 'genesys', status: 'active', version: 1, routingIdentifiers: { integrationId }, webhookSecrets: [{ value: webhookSecret, expiresAt: null }], verifyToken: null };
}

/** A tenant's own account at a Chatwoot server. */
export function ownChatwootConnection(tenantId: TenantId, { server, account, inbox, secret }: { readonly server: string; readonly account: number; readonly inbox: number; readonly secret: string }): WebhookConnection {
  const routingIdentifiers = { inbox: `${server}/${account}/${inbox}`, account: `${server}/${account}`, inboxKey: `${account}/${inbox}`, accountKey: String(account), inboxId: String(inbox) };
  return { ...whatsAppConnection(tenantId, { appSecret: secret, phoneNumberId: '' }), provider: 'chatwoot', routingIdentifiers, verifyToken: null };
}

/** A tenant's inbox in an account of the platform, whose secret verifies it. */
export function sharedChatwootConnection(tenantId: TenantId, { server, account, inbox, secret }: { readonly server: string; readonly account: number; readonly inbox: number; readonly secret: string }): WebhookConnection {
  const routingIdentifiers = { inbox: `${server}/${account}/${inbox}`, sharedInbox: `${account}/${inbox}`, sharedInboxId: String(inbox) };
  return { ...whatsAppConnection(tenantId, { appSecret: secret, phoneNumberId: '' }), provider: 'chatwoot', routingIdentifiers, verifyToken: null };
}

/** A bot of the tenant, or its part of the platform's bot: the secret makes the difference. */
export function botpressConnection(tenantId: TenantId, secret: string): WebhookConnection {
  const connection = { ...whatsAppConnection(tenantId, { appSecret: secret, phoneNumberId: '' }), provider: 'botpress' as const, verifyToken: null };
  return { ...connection, routingIdentifiers: { session: connection.connectionId } };
}

/** Chatwoot's `message_created`, as far as ingest reads it. */
export function chatwootMessage(account: number, inbox: number, more: object = {}): string {
  const conversation = { id: 1204, inbox_id: inbox, status: 'open', account: { id: account }, contact_inbox: { source_id: 'acme-wa-55', inbox_id: inbox, pubsub_token: 'live-credential' }, messages: [] };
  return JSON.stringify({ event: 'message_created', id: ++made, account: { id: account }, inbox: { id: inbox }, message_type: 'outgoing', content: 'Olá', private: false, conversation, ...more });
}

/** A signal of Botpress' Chat integration about a conversation of this connection. */
export function botpressMessage(connectionId: ConnectionId): string {
  const data = { id: `40c08d7e-${++made}`, conversationId: `${connectionId}-${newId('cnv')}`, userId: 'user_01K', createdAt: '2026-03-02T09:14:11.410Z', payload: { type: 'text', text: 'Which parcel?' }, isBot: true };
  return JSON.stringify({ type: 'message_created', data });
}

export type Change = { readonly phoneNumberId: string; readonly messages?: readonly object[]; readonly statuses?: readonly object[]; readonly wabaId?: string };

/** A text message with an id of its own. */
export function textMessage(from = '15005550123', id = `wamid.TEST${++made}`) {
  return { from, id, timestamp: '1790000000', type: 'text', text: { body: `hello ${id} 👋` } };
}

/** Meta's body for these changes. */
export function metaBody(...changes: readonly Change[]): string {
  return JSON.stringify({
    object: 'whatsapp_business_account',
    entry: changes.map(({ phoneNumberId, wabaId = '900100200300400', ...value }) => ({
      id: wabaId,
      changes: [{ field: 'messages', value: { messaging_product: 'whatsapp', metadata: { display_phone_number: '15005550100', phone_number_id: phoneNumberId }, contacts: [{ profile: { name: 'Ada' }, wa_id: '15005550123' }], ...value } }],
    })),
  });
}
