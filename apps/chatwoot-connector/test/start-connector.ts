import { getRoutesInternal, newId, type ConnectionId, type ConnectionWithSecrets, type Envelope, type MessageId, type MessageSend, type TenantId } from '@switchboard/contracts';
import type { Database } from '@switchboard/db';
import type { Subscription } from '@switchboard/event-bus';
import { testKit } from '@switchboard/service-kit/testing';
import { currentTenant, runAsTenant } from '@switchboard/tenant-context';
import { service } from '../src/service.ts';
import type { PrismaClient } from '../src/store/generated/client.ts';
import { describedOnly } from './request-schemas.ts';

export type Account = { readonly url: string; readonly accountId?: string; readonly inboxId: string; readonly token: string; readonly botToken?: string };

/** A tenant's inbox at a server. */
export function connectionAt(tenantId: TenantId, { url, accountId = '1', inboxId, token, botToken }: Account, more: Partial<ConnectionWithSecrets> & { readonly mode?: 'shared' } = {}): ConnectionWithSecrets {
  const { mode = 'dedicated', settings, ...rest } = more;
  return {
    tenantId,
    connectionId: newId('con'),
    provider: 'chatwoot',
    role: 'desk',
    status: 'active',
    version: 1,
    routingIdentifiers: { inbox: `${new URL(url).host}/${accountId}/${inboxId}` },
    settings: { apiUrl: url, accountId, inboxId, inboxType: 'api', mode, ...settings },
    credentials: { apiToken: token, ...(botToken === undefined ? {} : { botToken }) },
    ...rest,
  };
}

/** A process of the connector, as far as its consumers are concerned: a second one is another process, or the same after a restart. What Chatwoot's API does not describe, it does not send. */
export async function startConnector(db: Database<PrismaClient>, connections: ReadonlyMap<ConnectionId, ConnectionWithSecrets>, mediaDir: string) {
  const config = service.config.parse({ mediaDir, mediaUrlSecret: 's'.repeat(32), publicWebhookUrl: 'https://hub.example.net' });
  const kit = testKit({
    name: 'chatwoot-connector',
    config,
    db,
    answer({ contract, input }) {
      const own = [...connections.values()].filter(({ tenantId }) => tenantId === currentTenant());
      if (contract !== getRoutesInternal) return own.find(({ connectionId }) => connectionId === (input.params as { connectionId: ConnectionId }).connectionId); // its only param
      return { version: 1, timeZone: 'UTC', plan: 'enterprise', routes: [], connections: own.map(({ connectionId, provider, role, status }) => ({ connectionId, provider, role, status, createdAt: '2026-11-21T12:00:00.000Z' })) };
    },
  });
  const { consumers = [], tasks = [] } = await service.build({ ...kit, egress: describedOnly(kit.egress) });
  const consumerOf = (event: Envelope) => consumers.find(({ type }) => type === event.type) as Subscription; // every test's event has one
  return {
    published: kit.published,
    /** As the bus would; `dies` ends the process before the outcome is stored. */
    async handle(event: Envelope, { dies = false } = {}): Promise<void> {
      const commit = async (effect: () => Promise<void>) => {
        if (dies) throw new Error('the process was killed');
        await db.transaction(effect);
      };
      await runAsTenant(event.tenantId, () => consumerOf(event).handle(event, { attempt: 1, signal: new AbortController().signal, commit }));
    },
    runTasks: async () => {
      for (const task of tasks) await task.run();
    },
    statuses: () => kit.published.filter(({ type }) => type === 'message.status').map(({ payload }) => payload as Record<string, unknown>),
    said: () => kit.published.filter(({ type }) => type === 'message.received').map(({ payload }) => payload as Record<string, unknown>),
  };
}

export function commandOf({ tenantId, connectionId }: ConnectionWithSecrets, content: MessageSend['content'], more: Partial<MessageSend> = {}): Envelope {
  const conversationId = newId('cnv');
  const messageId: MessageId = newId('msg');
  const payload: MessageSend = { messageId, conversationId, connectionId, contact: { address: '5511988887777', name: 'Ana', aliases: {} }, author: 'contact', content, attributes: {}, sentAt: new Date().toISOString(), ...more };
  return { eventId: newId('evt'), type: 'message.send.chatwoot', version: 1, tenantId, occurredAt: new Date().toISOString(), orderingKey: conversationId, payload };
}

export function webhookOf({ tenantId, connectionId }: ConnectionWithSecrets, body: object): Envelope {
  const payload = { webhookId: newId('whk'), connectionId, body: JSON.stringify(body), receivedAt: new Date().toISOString() };
  return { eventId: newId('evt'), type: 'webhook.received.chatwoot', version: 1, tenantId, occurredAt: new Date().toISOString(), orderingKey: 'k', payload };
}
