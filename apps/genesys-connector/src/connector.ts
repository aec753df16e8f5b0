import { defineConnector } from '@switchboard/connector-kit';
import { fetchMedia, send } from './client.ts';
import { parseWebhook } from './parse-webhook.ts';
import { renderMessage } from './render-message.ts';

/** Genesys Cloud open messaging: the desk. */
export const genesys = defineConnector('genesys', {
  roles: ['desk'],
  // The same messageId and time name the same message (contract, section 2.5).
  sendIsIdempotent: true,
  // 300 requests a minute and OAuth client, receipts and typing included (contract, 1.4). An organization that had it raised says so in its
  // connection's setting `callsPerMinute`. The whole minute's calls may go at once after a quiet one: Genesys counts by the minute too, and
  // what it counts differently a 429 holds back.
  pace: { perMinute: 300, burst: 300 },
  parseWebhook,
  renderMessage,
  client: { send, fetchMedia },
});
