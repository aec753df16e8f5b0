import type { RawWebhook, SingleWebhookAuth, WebhookAuth } from '@switchboard/providers';
import { verifyWebhook } from '@switchboard/providers/webhook-auth';
import type { OpenedSecrets } from '../store/connections.ts';

export interface Verifier {
  /** Whether the current or a still valid previous secret of the connection signed the webhook. */
  isSignedBy(connection: { readonly secrets: OpenedSecrets }): boolean;
  /** False when there is no signature at all, so that no secret can fit. */
  readonly isPlausible: boolean;
}

/** Bytes hashed for one webhook before a secret has fitted (4 MiB take 3 ms): strangers name accounts with as many secrets as they like. */
const hashedBytesMax = 16 * 1024 * 1024;
export const triedSecretsMax = 64;
/** Spellings of its URL that a webhook of Twilio is hashed with under one secret, where they all differ; two as a rule. */
const urlSpellings = 6;

/**
 * Verifies one webhook; a secret that many connections have is tried once. A signature is that of one secret: after one has fitted the
 * others are not tried. When too many have not, the rest do not count as fitting.
 */
export function createVerifier(auth: WebhookAuth, webhook: RawWebhook, now: Date): Verifier {
  const hashedBytes = webhook.body.length * (auth.scheme === 'twilio' ? urlSpellings : 1);
  let left = Math.max(1, Math.min(triedSecretsMax, Math.floor(hashedBytesMax / Math.max(1, hashedBytes))));
  let fitting: string | undefined;
  const unfit = new Set<string>();
  const isSignedWith = (secret: string): boolean => {
    if (fitting !== undefined) return secret === fitting;
    if (unfit.has(secret) || left === 0) return false;
    left--;
    if (verifyWebhook(auth, webhook, [secret], now.getTime() / 1000)) fitting = secret;
    else unfit.add(secret);
    return secret === fitting;
  };
  return {
    isPlausible: isPlausible(auth, webhook),
    isSignedBy: ({ secrets }) =>
      secrets.webhookSecrets.some(({ value, expiresAt }) => (expiresAt === null || new Date(expiresAt) > now) && isSignedWith(value)),
  };
}

function isPlausible(auth: WebhookAuth, webhook: RawWebhook): boolean {
  const isThere = (scheme: SingleWebhookAuth) =>
    scheme.scheme === 'path-token' ? webhook.pathToken !== undefined : webhook.headers[scheme.scheme === 'timestamped-hmac' ? scheme.signatureHeader : scheme.header] !== undefined;
  return auth.scheme === 'any-of' ? auth.schemes.some(isThere) : isThere(auth);
}
