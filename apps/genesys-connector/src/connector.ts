import { defineConnector } from '@switchboard/connector-kit';
import { fetchMedia, send } from './client.ts';
import { parseWebhook } from './parse-webhook.ts';
import { renderMessage } from './render-message.ts';

/** Genesys Cloud open messaging: the desk. */
export const genesys = defineConnector('genesys', {
  roles: ['desk'],
  // The same messageId and time name the same message (contract, section 2.5).
  sendIsIdempotent: true,
  // 300 requests a minute and OAuth client, receipts and typing included (contract, 1.4); organizations may have it raised, a 429 says when not.
  pace: { perMinute: 3_000, burst: 100 },
  parseWebhook,
  renderMessage,
  client: { send, fetchMedia },
});
