import { defineConnector, type ConnectorDefinition } from '@switchboard/connector-kit';
import { isV12 } from './account.ts';
import { createClient, type ClientOptions } from './client.ts';
import { parseWebhook } from './parse-webhook.ts';
import { renderMessage } from './render-message.ts';

/** Botpress: the bot. Cloud by its Chat API and webhooks, v12 by its Converse API; which one stands in the connection. */
export function createBotpress(options: ClientOptions): ConnectorDefinition {
  return defineConnector('botpress', {
    roles: ['bot'],
    // Neither has a key for repetition. At Cloud the client finds in the conversation what has arrived, and does not send it again (contract, 2.2); a
    // v12 server cannot be asked, and a turn that may have arrived stays as it is (1.3).
    sendIsIdempotent: (connection) => !isV12(connection),
    // 600 messages of end users a minute and bot (contract, 2.2). A bot that is granted more says so in its connection's setting `callsPerMinute`.
    pace: { perMinute: 600, burst: 60 },
    parseWebhook,
    renderMessage,
    client: createClient(options),
  });
}
