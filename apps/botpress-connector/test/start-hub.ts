import { newId, type ChatbotConfig, type ConnectionId, type ConnectionWithSecrets, type ConversationId, type Envelope, type KnowledgeEntry, type MessageContent, type MessageId, type TenantId } from '@switchboard/contracts';
import { createDatabase } from '@switchboard/db';
import type { Subscription } from '@switchboard/event-bus';
import { prepareServices } from '@switchboard/service-kit';
import { testKit } from '@switchboard/service-kit/testing';
import { runAsTenant } from '@switchboard/tenant-context';
import { startTestDatabase, testRolePassword } from '@switchboard/testing';
import { tmpdir } from 'node:os';
import { fidOf } from '../src/fid.ts';
import { service } from '../src/service.ts';
import { createChatbotStore } from '../src/store/chatbots.ts';
import { PrismaClient } from '../src/store/generated/client.ts';
import { chatKey, startStandInBotpress } from './stand-in-botpress.ts';

/** One conversation of a tenant with its bot. */
export type Talk = { readonly connection: ConnectionWithSecrets; readonly conversationId: ConversationId; readonly fid: string };
/** What the hub was told, in few words. */
export type Heard = { readonly type: string; readonly tenantId: string; readonly conversationId: string | undefined; readonly content: MessageContent | undefined; readonly payload: Record<string, unknown> };

/** The connector as it runs, with a bot at a stand-in and a clock that a test turns; the bus is the test. */
export async function startHub() {
  const database = await startTestDatabase();
  await prepareServices([service], { adminUrl: database.adminUrl, driver: 'embedded', rolePassword: testRolePassword });
  const db = createDatabase({ url: database.url('switchboard_botpress'), schema: 'botpress', connectionsMax: 6, createClient: (adapter) => new PrismaClient({ adapter }) });
  const botpress = await startStandInBotpress();
  const connections = new Map<ConnectionId, ConnectionWithSecrets>();
  const inbox = new Set<string>();
  const clock = { now: Date.now() };
  let versions = 0;
  const now = () => new Date(clock.now);

  const config = service.config.parse({ mediaDir: tmpdir(), mediaUrlSecret: 's'.repeat(32), publicWebhookUrl: 'https://hub.example.net' });

  /** A process of the connector; another one knows nothing but the database. */
  async function startProcess() {
    const kit = testKit({ name: 'botpress-connector', config, db, now, answer: ({ input }) => connections.get((input.params as { connectionId: ConnectionId }).connectionId) });
    const { consumers = [], onStop } = await service.build(kit);
    const consumerOf = (event: Envelope) => consumers.find(({ type, delivery }) => type === event.type && delivery !== 'broadcast') as Subscription; // every test's event has one
    /** Handles an event as the bus would; `dies` ends the process before the outcome is stored. */
    async function handle(event: Envelope, { attempt = 1, dies = false } = {}): Promise<void> {
      const consumer = consumerOf(event);
      const commit = async (effect: () => Promise<void>) => {
        if (dies) throw new Error('the process was killed');
        if (consumer.effect === 'external' && inbox.has(event.eventId)) return;
        await db.transaction(effect);
        inbox.add(event.eventId);
      };
      await runAsTenant(event.tenantId, () => consumer.handle(event, { attempt, signal: new AbortController().signal, commit }));
    }
    const published = kit.published;
    return {
      handle,
      published,
      stop: async () => void (await onStop?.()),
      /** Each thing once, as consumers see it: by its event's id. */
      heard: (): Heard[] =>
        [...new Map(published.map((event) => [event.eventId, event])).values()].map(({ type, tenantId, payload }) => {
          const fields = payload as Record<string, unknown>;
          return { type, tenantId, conversationId: fields['conversationId'] as string | undefined, content: fields['content'] as MessageContent | undefined, payload: fields };
        }),
      /** What the bot's side said to one conversation, as texts; what is no text by its kind. */
      said: ({ conversationId }: Talk): string[] =>
        [...new Map(published.map((event) => [event.eventId, event])).values()].flatMap(({ type, payload }) => {
          const { conversationId: of, content } = payload as { conversationId?: string; content: MessageContent };
          return type !== 'message.received' || of !== conversationId ? [] : [content.kind === 'text' ? content.text : content.kind];
        }),
      checks: () => published.filter(({ type }) => type === 'bot_turn.check'),
    };
  }

  function connect(tenantId: TenantId, kind: 'cloud' | 'v12' = 'cloud', bot = 'shared-bot'): ConnectionWithSecrets {
    const connectionId = newId('con');
    const settings: Record<string, string> = kind === 'cloud' ? { kind, webhookId: bot, apiBaseUrl: `${botpress.url}/cloud` } : { kind, botId: bot, apiBaseUrl: `${botpress.url}/v12`, email: 'hub@acme.example' };
    const connection: ConnectionWithSecrets = {
      tenantId, connectionId, provider: 'botpress', role: 'bot', status: 'active', version: 1,
      routingIdentifiers: { bot: `stand-in/${bot}`, session: connectionId },
      settings,
      credentials: kind === 'cloud' ? { encryptionKey: chatKey, webhookSecret: 'w'.repeat(20) } : { password: 'v12-password' },
    };
    connections.set(connectionId, connection);
    return connection;
  }

  return {
    botpress, clock, connections, startProcess, connect,
    talk(connection: ConnectionWithSecrets): Talk {
      const conversationId = newId('cnv');
      return { connection, conversationId, fid: fidOf({ connectionId: connection.connectionId, conversationId }) };
    },
    /** What state-manager sends when the contact has written. */
    written({ connection, conversationId }: Talk, content: string | MessageContent, messageId: MessageId = newId('msg')): Envelope {
      const payload = {
        messageId, conversationId, connectionId: connection.connectionId, contact: { address: '4915112345678', name: 'Maria K.', aliases: {} }, author: 'contact' as const,
        content: typeof content === 'string' ? { kind: 'text' as const, text: content } : content, attributes: { channel: 'whatsapp' }, sentAt: now().toISOString(),
      };
      return { eventId: newId('evt'), type: 'message.send.botpress', version: 1, tenantId: connection.tenantId, occurredAt: now().toISOString(), orderingKey: conversationId, payload };
    },
    /** What ingest publishes when the Chat integration has told us of a message or an event of the bot. */
    signalled({ connection, fid }: Talk, payload: Record<string, unknown>, type: 'message_created' | 'event_created' = 'message_created', messageId: string = newId('msg')): Envelope {
      const id = type === 'event_created' ? null : messageId;
      const body = JSON.stringify({ type, data: { id, conversationId: fid, userId: 'user_bot', createdAt: now().toISOString(), payload, metadata: {}, isBot: true } });
      return { eventId: newId('evt'), type: 'webhook.received.botpress', version: 1, tenantId: connection.tenantId, occurredAt: now().toISOString(), orderingKey: fid, payload: { webhookId: newId('whk'), connectionId: connection.connectionId, body, receivedAt: now().toISOString() } };
    },
    changed({ connection, conversationId }: Talk, handler: 'bot' | 'desk' | 'none', status: 'open' | 'closed' = 'open'): Envelope {
      return { eventId: newId('evt'), type: 'conversation.changed', version: 1, tenantId: connection.tenantId, occurredAt: now().toISOString(), orderingKey: conversationId, payload: { conversationId, status, handler, reason: 'a test' } };
    },
    /** Sets a tenant's chatbot up in the database. */
    async setUp(tenantId: TenantId, chatbot: Partial<ChatbotConfig> = {}, knowledgeBase: readonly KnowledgeEntry[] = []): Promise<void> {
      const version = ++versions;
      const content = { botName: `Bot of ${tenantId}`, language: 'en', enableHumanHandoff: true, allowedActions: [], ...chatbot } satisfies ChatbotConfig;
      await runAsTenant(tenantId, () => db.transaction(() => createChatbotStore(db).save({ version, config: content, knowledgeBase, changedBy: 'a test', at: now(), keep: 50 })));
    },
    rows: <Row extends object>(tenantId: TenantId, sql: string, values: readonly unknown[] = []) => runAsTenant(tenantId, () => db.transaction(() => db.sql.query<Row>(sql, values))),
    async stop(): Promise<void> {
      await botpress.close();
      await db.close();
      await database.drop();
    },
  };
}
export type Hub = Awaited<ReturnType<typeof startHub>>;
export type HubProcess = Awaited<ReturnType<Hub['startProcess']>>;
