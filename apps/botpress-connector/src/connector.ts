import { defineConnector } from '@switchboard/connector-kit';
import { hubError } from '@switchboard/contracts';

export const botpress = defineConnector('botpress', {
  roles: ['bot'],
  sendIsIdempotent: false,
  pace: { perMinute: 600, burst: 60 },
  parseWebhook: () => [],
  renderMessage: () => ({ kind: 'nothing' }),
  client: {
    send: () => Promise.reject(hubError('internal')),
    fetchMedia: () => Promise.reject(hubError('internal')),
  },
});
