import type { ConnectorWebhook, InboundEvent, PublicConnection } from '@switchboard/connector-kit';

/** Twilio's webhook as ingest stored it → what it says. Pure. */
export function parseWebhook(_webhook: ConnectorWebhook, _connection: PublicConnection): InboundEvent[] {
  return [{ kind: 'ignored', reason: 'not there yet' }];
}
