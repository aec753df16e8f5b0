import type { RawWebhook, WebhookSplit } from '../provider.ts';

/** Twilio's webhook → its one part. */
export function splitTwilioWebhook(_webhook: RawWebhook): WebhookSplit {
  return { kind: 'unreadable', reason: 'not there yet' };
}
