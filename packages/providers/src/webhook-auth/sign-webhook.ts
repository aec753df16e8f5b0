import { assertNever } from '@switchboard/contracts';
import { createHash } from 'node:crypto';
import type { RawWebhook, WebhookAuth } from '../provider.ts';
import { hmacOf, timestampedHmacOf, twilioSignatureOf } from './signatures.ts';
import { twilioParameters } from './twilio.ts';

export type WebhookToSign = { readonly url: string; readonly body: Buffer; readonly method?: string; readonly headers?: RawWebhook['headers'] };

/**
 * Headers that the provider would send with this webhook: for the provider-sandbox, tests and benchmarks. For a Twilio webhook that is
 * not a form the URL must carry `bodySHA256` (see `withBodyHash`) and is signed as it stands. `any-of` is signed by its first scheme; for another
 * one sign with that. A path token is no header: its URL must end in the secret.
 */
export function signWebhook(auth: WebhookAuth, webhook: WebhookToSign, secret: string, nowSeconds: number = Date.now() / 1000): Record<string, string> {
  switch (auth.scheme) {
    case 'hmac':
      return { [auth.header]: hmacOf(auth, webhook.body, secret) };
    case 'timestamped-hmac': {
      const timestamp = String(Math.floor(nowSeconds));
      return { [auth.timestampHeader]: timestamp, [auth.signatureHeader]: timestampedHmacOf(auth, timestamp, webhook.body, secret) };
    }
    case 'shared-token':
      return { [auth.header]: secret };
    case 'path-token':
      return {};
    case 'any-of':
      return signWebhook(auth.schemes[0], webhook, secret, nowSeconds);
    case 'twilio':
      return { [auth.header]: twilioSignatureOf(webhook.url, twilioParameters({ method: 'POST', headers: {}, ...webhook }), secret) };
    default:
      return assertNever(auth);
  }
}

/** The URL with the hash of the body that Twilio adds to JSON webhooks. */
export function withBodyHash(url: string, body: Buffer): string {
  return `${url}${url.includes('?') ? '&' : '?'}bodySHA256=${createHash('sha256').update(body).digest('hex')}`;
}
