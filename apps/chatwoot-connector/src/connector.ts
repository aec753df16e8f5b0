import { defineConnector, type ConnectorDefinition } from '@switchboard/connector-kit';
import { createClient, type ClientDeps } from './client.ts';
import { parseWebhook } from './parse-webhook.ts';
import { renderMessage } from './render-message.ts';

/** Chatwoot: desk in an API inbox, or channel with agents of its own in any inbox. */
export function createChatwoot(deps: ClientDeps): ConnectorDefinition {
  return defineConnector('chatwoot', {
    roles: ['desk', 'channel'],
    // Because the client looks before it repeats (contract, section 5); Chatwoot itself promises nothing.
    sendIsIdempotent: true,
    // Calls of one inbox; those of a whole server are paced besides (api/paced-egress.ts), 3 000 a minute by the server's own count.
    pace: { perMinute: 1_200, burst: 120 },
    // 200 messages a minute in one conversation (contract, 3.1).
    pairPace: { perMinute: 200, burst: 20 },
    parseWebhook,
    renderMessage,
    client: createClient(deps),
  });
}
