import type { ProviderId } from '@switchboard/contracts';
import type { ConnectorDefinition } from './port.ts';

/** Names the provider first, so that the reader of a connector knows at once whose it is. */
export function defineConnector(provider: ProviderId, definition: Omit<ConnectorDefinition, 'provider'>): ConnectorDefinition {
  return { provider, ...definition };
}
