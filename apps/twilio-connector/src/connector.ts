import { defineConnector, type ConnectorDefinition } from '@switchboard/connector-kit';
import { createClient, type ClientDeps } from './client.ts';
import { parseWebhook } from './parse-webhook.ts';
import { renderMessage } from './render-message.ts';

/** Twilio: where contacts write by WhatsApp and SMS, and leave voicemail. */
export function createTwilio(deps: ClientDeps): ConnectorDefinition {
  return defineConnector('twilio', {
    roles: ['channel'],
    // Creating a message takes no key for repetition; our id in the status callback's address only tells afterwards what became of it.
    sendIsIdempotent: false,
    // Ten messages a second of a WhatsApp sender (contract, section 7); a long code sends fewer, and Twilio queues what is too fast for it.
    pace: { perMinute: 600, burst: 20 },
    parseWebhook,
    renderMessage,
    client: createClient(deps),
  });
}
