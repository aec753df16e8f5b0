import type { ConnectionRecord } from '@switchboard/contracts';
import { findProvider } from '@switchboard/providers';
import type { StoredConnection } from '../store/connections.ts';

/** A connection as the API shows it: what the tenant gave, without what is secret. */
export function connectionRecord(connection: StoredConnection, publicWebhookUrl: string): ConnectionRecord {
  const { connectionId, provider, draft } = connection;
  const entry = findProvider(provider);
  const sharedUrl = sharedWebhookUrlOf(provider, publicWebhookUrl);
  return {
    id: connectionId,
    name: connection.name,
    type: entry?.credentialType ?? provider,
    provider,
    role: connection.role,
    status: connection.status,
    statusReason: draft === undefined ? null : connection.status === 'active' ? `The credentials posted last are not in use yet; the ones before them are. ${draft.reason}` : draft.reason,
    routingIdentifiers: connection.routingIdentifiers,
    webhookUrl: connection.settings['mode'] === 'shared' ? sharedUrl : webhookUrlOf(connection, publicWebhookUrl),
    sharedWebhookUrl: entry?.webhook.paths.includes('shared') === true ? sharedUrl : null,
    settings: connection.settings,
    health: connection.health,
    createdAt: connection.createdAt.toISOString(),
    updatedAt: connection.updatedAt.toISOString(),
  };
}

/** Where one account at the provider sends the webhooks of many connections. */
export function sharedWebhookUrlOf(provider: string, publicWebhookUrl: string): string {
  const [published] = findProvider(provider)?.webhook.aliases ?? [];
  return `${publicWebhookUrl}${published ?? `/webhooks/${provider}`}`;
}

/** Where the provider shall send this connection's webhooks: one URL for each, so that none has to be guessed from what a body says. */
export function webhookUrlOf(connection: Pick<StoredConnection, 'connectionId' | 'provider'>, publicWebhookUrl: string): string {
  return `${publicWebhookUrl}/webhooks/${connection.provider}/${connection.connectionId}`;
}
