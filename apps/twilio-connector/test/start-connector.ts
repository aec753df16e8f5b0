import { newId, type ConnectionId, type ConnectionWithSecrets, type Envelope, type MessageContent, type MessageSend, type TenantId } from '@switchboard/contracts';
import type { Database } from '@switchboard/db';
import type { Subscription } from '@switchboard/event-bus';
import { testKit } from '@switchboard/service-kit/testing';
import { currentTenant, runAsTenant } from '@switchboard/tenant-context';
import { service } from '../src/service.ts';
import type { PrismaClient } from '../src/store/generated/client.ts';

/** The same number in both tenants: a subaccount and a token of its own tell them apart. */
export const phoneNumber = '+15005550006';
export const accountSidOf = (tenantId: TenantId) => `AC${tenantId === 'acme' ? 'a'.repeat(32) : 'b'.repeat(32)}`;

/** A tenant's subaccount, at the stand-in for Twilio. */
export function connectionAt(tenantId: TenantId, apiBaseUrl: string, more: { readonly settings?: Record<string, string>; readonly credentials?: Record<string, string> } = {}): ConnectionWithSecrets {
  const accountSid = accountSidOf(tenantId);
  return {
    tenantId,
    connectionId: newId('con'),
    provider: 'twilio',
    role: 'channel',
    status: 'active',
    version: 1,
    routingIdentifiers: { sender: `${accountSid}/${phoneNumber}`, accountSid, account: accountSid },
    settings: { accountSid, phoneNumber, channels: 'whatsapp,sms', apiBaseUrl, ...more.settings },
    credentials: { authToken: `token-of-${tenantId}`, ...more.credentials },
  };
}

/** A process of the connector, as far as its consumers are concerned: a second one is another process, or the same after a restart. */
export async function startConnector(db: Database<PrismaClient>, connections: ReadonlyMap<ConnectionId, ConnectionWithSecrets>, mediaDir: string) {
  const config = service.config.parse({ mediaDir, mediaUrlSecret: 's'.repeat(32), publicWebhookUrl: 'https://hub.example.net' });
  // Read as the caller: another tenant's connection is a missing one, as tenant-service answers.
  const answer = ({ input }: { input: { params?: unknown } }) => [...connections.values()].find(({ tenantId, connectionId }) => tenantId === currentTenant() && connectionId === (input.params as { connectionId: ConnectionId }).connectionId);
  const kit = testKit({ name: 'twilio-connector', config, db, answer });
  const { consumers = [] } = await service.build(kit);
  const consumerOf = (event: Envelope) => consumers.find(({ type, delivery }) => type === event.type && delivery !== 'broadcast') as Subscription; // every test's event has one
  const payloadsOf = (type: string) => kit.published.filter((event) => event.type === type).map(({ payload }) => payload as Record<string, unknown>);
  return {
    published: kit.published,
    /** As the bus would; `dies` ends the process before the outcome is stored. */
    async handle(event: Envelope, { attempt = 1, dies = false } = {}): Promise<void> {
      const commit = async (effect: () => Promise<void>) => {
        if (dies) throw new Error('the process was killed');
        await db.transaction(effect);
      };
      await runAsTenant(event.tenantId, () => consumerOf(event).handle(event, { attempt, signal: new AbortController().signal, commit }));
    },
    statuses: () => payloadsOf('message.status'),
    said: () => payloadsOf('message.received'),
  };
}

export function commandOf({ tenantId, connectionId }: ConnectionWithSecrets, content: MessageContent, more: Partial<MessageSend> = {}): Envelope & { readonly payload: MessageSend } {
  const payload: MessageSend = { messageId: newId('msg'), conversationId: newId('cnv'), connectionId, contact: { address: 'whatsapp:+5511912345678', aliases: {} }, author: 'agent', content, attributes: {}, sentAt: new Date().toISOString(), ...more };
  return { eventId: newId('evt'), type: 'message.send.twilio', version: 1, tenantId, occurredAt: new Date().toISOString(), orderingKey: payload.conversationId, payload };
}

/** A webhook as ingest publishes it. */
export function webhookOf({ tenantId, connectionId }: ConnectionWithSecrets, kind: string, form: object, query: object = {}): Envelope {
  const payload = { webhookId: newId('whk'), connectionId, body: JSON.stringify({ kind, query, form: { AccountSid: accountSidOf(tenantId), ...form } }), receivedAt: new Date().toISOString() };
  return { eventId: newId('evt'), type: 'webhook.received.twilio', version: 1, tenantId, occurredAt: new Date().toISOString(), orderingKey: 'k', payload };
}
