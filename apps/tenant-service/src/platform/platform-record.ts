import type { PlatformConnectionRecord } from '@switchboard/contracts';
import { findProvider } from '@switchboard/providers';
import { sharedWebhookUrlOf } from '../domain/connection-record.ts';
import type { PlatformConnection } from '../store/platform-connections.ts';

/** An account of the platform as the API shows it. */
export function platformRecord(connection: PlatformConnection, publicWebhookUrl: string): PlatformConnectionRecord {
  const { provider, name, isOpen, inboxesMax, inboxes, tenants, subaccounts, routingIdentifiers, settings, checkReason } = connection;
  return {
    id: connection.platformConnectionId,
    type: findProvider(provider)?.credentialType ?? provider,
    provider,
    name,
    isOpen,
    inboxesMax,
    inboxes,
    tenants,
    subaccounts,
    routingIdentifiers,
    settings,
    webhookUrl: sharedWebhookUrlOf(provider, publicWebhookUrl),
    lastCheck: { at: connection.checkedAt.toISOString(), ok: checkReason === null, reason: checkReason },
    createdAt: connection.createdAt.toISOString(),
    updatedAt: connection.updatedAt.toISOString(),
  };
}
