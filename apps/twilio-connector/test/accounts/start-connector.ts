import { getRoutesInternal, hubError, newId, type ConnectionId, type ConnectionWithSecrets, type Envelope, type MessageSend, type TenantId } from '@switchboard/contracts';
import { createDatabase, type Database } from '@switchboard/db';
import { prepareServices, type ServiceDefinition } from '@switchboard/service-kit';
import { testKit } from '@switchboard/service-kit/testing';
import { currentTenant, runAsTenant } from '@switchboard/tenant-context';
import { startTestDatabase, testRolePassword } from '@switchboard/testing';
import { service } from '../../src/service.ts';
import { PrismaClient } from '../../src/store/generated/client.ts';

/** A SID of 32 digits that ends with these. */
export const sid = (prefix: string, end: string) => `${prefix}${end.padStart(32, '0')}`;

type Sender = { readonly accountSid: string; readonly phoneNumber?: string; readonly messagingServiceSid?: string; readonly url: string; readonly authToken?: string; readonly settings?: Readonly<Record<string, string>> };

export function connectionAt(tenantId: TenantId, { accountSid, phoneNumber, messagingServiceSid, url, authToken = `token of ${accountSid}`, settings }: Sender): ConnectionWithSecrets {
  return {
    tenantId,
    connectionId: newId('con'),
    provider: 'twilio',
    role: 'channel',
    status: 'active',
    version: 1,
    routingIdentifiers: { sender: `${accountSid}/${phoneNumber ?? messagingServiceSid ?? ''}`, accountSid, account: accountSid, ...(messagingServiceSid === undefined ? {} : { service: `${accountSid}/${messagingServiceSid}` }) },
    settings: { accountSid, channels: 'sms,whatsapp', apiBaseUrl: url, ...(phoneNumber === undefined ? {} : { phoneNumber }), ...(messagingServiceSid === undefined ? {} : { messagingServiceSid }), ...settings },
    credentials: { authToken },
  };
}

export async function startDatabase() {
  const database = await startTestDatabase();
  // The cast drops the service's own config type.
  await prepareServices([service as unknown as ServiceDefinition], { adminUrl: database.adminUrl, driver: 'embedded', rolePassword: testRolePassword });
  const db = createDatabase({ url: database.url('switchboard_twilio'), schema: 'twilio', connectionsMax: 8, createClient: (adapter) => new PrismaClient({ adapter }) });
  return {
    db,
    database,
    async close() {
      await db.close();
      await database.drop();
    },
  };
}

export type Connector = Awaited<ReturnType<typeof startConnector>>;

/** A process of the connector, as far as its consumers and tasks are concerned: a second one is another process, or the same after a restart. */
export async function startConnector(db: Database<PrismaClient>, connections: ReadonlyMap<ConnectionId, ConnectionWithSecrets>, options: { readonly mediaDir: string; readonly now: () => Date }) {
  const config = service.config.parse({ mediaDir: options.mediaDir, mediaUrlSecret: 's'.repeat(32), publicWebhookUrl: 'https://hub.example.net' });
  const kit = testKit({
    name: 'twilio-connector',
    config,
    db,
    now: options.now,
    answer({ contract, input }) {
      const own = [...connections.values()].filter(({ tenantId }) => tenantId === currentTenant());
      if (contract === getRoutesInternal) return { version: 1, timeZone: 'UTC', plan: 'enterprise', routes: [], connections: own.map(({ connectionId, provider, role, status }) => ({ connectionId, provider, role, status, createdAt: '2026-11-21T12:00:00.000Z' })) };
      const one = own.find(({ connectionId }) => connectionId === (input.params as { connectionId: ConnectionId }).connectionId); // its only param
      if (one === undefined) throw hubError('connection.not_found');
      return one;
    },
  });
  const { consumers = [], tasks = [] } = await service.build(kit);
  const handled = new Set<Envelope>();
  const handle = async (event: Envelope): Promise<void> => {
    const own = consumers.filter(({ type, delivery }) => type === event.type && delivery !== 'broadcast');
    for (const consumer of own) {
      const run = () => consumer.handle(event, { attempt: 1, signal: new AbortController().signal, commit: (effect) => db.transaction(effect) });
      await runAsTenant(event.tenantId, () => (consumer.effect === 'transaction' ? db.transaction(run) : run()));
    }
  };
  return {
    published: kit.published,
    handle,
    /** What was published to the connector itself since it was last called, as the bus would bring it. */
    async handleOwn(): Promise<void> {
      const own = kit.published.filter((event) => event.type === 'webhook.received.twilio' && !handled.has(event));
      for (const event of own) {
        handled.add(event);
        await handle(event);
      }
    },
    runTask: async (name: string) => tasks.find((task) => task.name === name)?.run(),
    statuses: () => kit.published.filter(({ type }) => type === 'message.status').map(({ payload }) => payload as Record<string, unknown>),
    said: () => kit.published.filter(({ type }) => type === 'message.received').map(({ payload, tenantId }) => ({ tenantId, ...(payload as Record<string, unknown>) })),
  };
}

export function commandOf({ tenantId, connectionId }: ConnectionWithSecrets, address: string, text: string): Envelope & { readonly payload: MessageSend } {
  const conversationId = newId('cnv');
  const payload: MessageSend = { messageId: newId('msg'), conversationId, connectionId, contact: { address, name: 'Ana', aliases: {} }, author: 'agent', content: { kind: 'text', text }, attributes: {}, sentAt: new Date().toISOString() };
  return { eventId: newId('evt'), type: 'message.send.twilio', version: 1, tenantId, occurredAt: new Date().toISOString(), orderingKey: conversationId, payload };
}

/** A webhook as ingest stored it. */
export function webhookOf({ tenantId, connectionId, routingIdentifiers }: ConnectionWithSecrets, kind: string, form: Readonly<Record<string, string>>, more: { readonly receivedAt?: Date; readonly query?: Readonly<Record<string, string>> } = {}): Envelope {
  const body = JSON.stringify({ kind, query: more.query ?? {}, form: { AccountSid: routingIdentifiers['accountSid'], ...form } });
  const payload = { webhookId: newId('whk'), connectionId, body, receivedAt: (more.receivedAt ?? new Date()).toISOString() };
  return { eventId: newId('evt'), type: 'webhook.received.twilio', version: 1, tenantId, occurredAt: new Date().toISOString(), orderingKey: 'k', payload };
}

export function changedOf({ tenantId, connectionId, role, status, version }: ConnectionWithSecrets, occurredAt: Date): Envelope {
  return { eventId: newId('evt'), type: 'connection.changed', version: 1, tenantId, occurredAt: occurredAt.toISOString(), orderingKey: connectionId, payload: { connectionId, provider: 'twilio', role, status, version } };
}
