import { createHash, timingSafeEqual } from 'node:crypto';
import type { RawWebhook, WebhookAuth } from '../provider.ts';
import { hmacOf, timestampedHmacOf, twilioSignatureOf } from './signatures.ts';
import { isBodyCovered, twilioParameters, twilioUrlVariants } from './twilio.ts';

/**
 * Whether one of the secrets verifies the webhook, as its provider signs. Constant time in the secret, never throws, and no on any doubt:
 * no secret, no header, an unknown form. `nowSeconds` is the clock for schemes with a time stamp.
 */
export function verifyWebhook(auth: WebhookAuth, webhook: RawWebhook, secrets: readonly string[], nowSeconds: number = Date.now() / 1000): boolean {
  let verified = false;
  // All secrets are tried even after one has fitted: which one it was (current or previous) is nobody's business.
  for (const secret of secrets) verified = (secret !== '' && fits(auth, webhook, secret, nowSeconds)) || verified;
  return verified;
}

function fits(auth: WebhookAuth, webhook: RawWebhook, secret: string, nowSeconds: number): boolean {
  switch (auth.scheme) {
    case 'hmac': {
      const given = webhook.headers[auth.header];
      // Without a header nothing is hashed: where several schemes are allowed, most webhooks carry none of this one.
      if (given === undefined) return false;
      const isBare = auth.isPrefixOptional === true && !given.startsWith(auth.prefix);
      return isSameText(isBare ? auth.prefix + given : given, hmacOf(auth, webhook.body, secret));
    }
    case 'timestamped-hmac': {
      if (webhook.headers[auth.signatureHeader] === undefined) return false;
      const timestamp = webhook.headers[auth.timestampHeader];
      if (timestamp === undefined || !/^\d{1,12}$/.test(timestamp)) return false;
      if (!(Math.abs(nowSeconds - Number(timestamp)) <= auth.toleranceSeconds)) return false;
      return isSameText(webhook.headers[auth.signatureHeader], timestampedHmacOf(auth, timestamp, webhook.body, secret));
    }
    case 'shared-token':
      return isSameSecret(webhook.headers[auth.header], secret);
    case 'path-token':
      return isSameSecret(webhook.pathToken, secret);
    case 'any-of':
      return auth.schemes.some((scheme) => fits(scheme, webhook, secret, nowSeconds));
    case 'twilio': {
      const given = webhook.headers[auth.header];
      if (given === undefined || !isBodyCovered(webhook)) return false;
      const parameters = twilioParameters(webhook);
      return twilioUrlVariants(webhook.url).some((url) => isSameText(given, twilioSignatureOf(url, parameters, secret)));
    }
    default:
      // A scheme that the registry's types do not know: closed.
      auth satisfies never;
      return false;
  }
}

/** What is compared with is the secret itself, so that its length is not public either: hashes of both are compared. */
function isSameSecret(given: string | undefined, secret: string): boolean {
  return given !== undefined && timingSafeEqual(createHash('sha256').update(given).digest(), createHash('sha256').update(secret).digest());
}

/** The length is public (it is the scheme's), the bytes are not. Compared as bytes: a header of the same length in characters may be longer. */
function isSameText(given: string | undefined, expected: string): boolean {
  if (given === undefined) return false;
  const givenBytes = Buffer.from(given, 'utf8');
  const expectedBytes = Buffer.from(expected, 'utf8');
  return givenBytes.length === expectedBytes.length && timingSafeEqual(givenBytes, expectedBytes);
}
