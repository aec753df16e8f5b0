import { defineConnector } from '@switchboard/connector-kit';
import { client } from './client.ts';
import { parseWebhook } from './parse-webhook.ts';
import { renderMessage } from './render-message.ts';

/** Meta's WhatsApp Cloud API: where contacts write. */
export const connector = defineConnector('whatsapp', {
  roles: ['channel'],
  // Meta takes no key for repetition; our id in biz_opaque_callback_data only tells afterwards what became of a message.
  sendIsIdempotent: false,
  // A number sends 80 messages a second: developers.facebook.com/…/whatsapp/throughput (September 2026).
  pace: { perMinute: 80 * 60, burst: 80 },
  // One message in 6 s to the same contact, 45 at once on credit: developers.facebook.com/…/whatsapp/about-the-platform.
  pairPace: { perMinute: 10, burst: 45 },
  parseWebhook,
  renderMessage,
  client,
});
