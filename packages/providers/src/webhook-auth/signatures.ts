import { createHmac } from 'node:crypto';
import type { WebhookAuth } from '../provider.ts';

type SchemeOf<S extends WebhookAuth['scheme']> = Extract<WebhookAuth, { scheme: S }>;

/** Header value of the `hmac` scheme. */
export function hmacOf(auth: SchemeOf<'hmac'>, body: Buffer, secret: string): string {
  return auth.prefix + createHmac(auth.algorithm, secret).update(body).digest(auth.encoding);
}

/** Signature header value of the `timestamped-hmac` scheme. */
export function timestampedHmacOf(auth: SchemeOf<'timestamped-hmac'>, timestamp: string, body: Buffer, secret: string): string {
  return auth.prefix + createHmac(auth.algorithm, secret).update(timestamp).update(auth.separator).update(body).digest(auth.encoding);
}

/** `X-Twilio-Signature` over the URL as it stands and the parameters behind it (twilio.com/docs/usage/security). */
export function twilioSignatureOf(url: string, parameters: string, secret: string): string {
  return createHmac('sha1', secret).update(url).update(parameters).digest('base64');
}
