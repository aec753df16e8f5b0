import type { RawWebhook, WebhookAuth } from '@switchboard/providers';
import { verifyWebhook } from '@switchboard/providers/webhook-auth';
import type { OpenedSecrets } from '../store/connections.ts';

export interface Verifier {
  /** Whether the current or a still valid previous secret of the connection signed the webhook. */
  isSignedBy(connection: { readonly secrets: OpenedSecrets }): boolean;
  /** False when there is no signature at all, so that no secret can fit. */
  readonly isPlausible: boolean;
}

/** Verifies one webhook; a secret that many connections have is tried once. */
export function createVerifier(auth: WebhookAuth, webhook: RawWebhook, now: Date): Verifier {
  const tried = new Map<string, boolean>();
  const isSignedWith = (secret: string): boolean => {
    const known = tried.get(secret);
    if (known !== undefined) return known;
    const verified = verifyWebhook(auth, webhook, [secret], now.getTime() / 1000);
    tried.set(secret, verified);
    return verified;
  };
  return {
    isPlausible: webhook.headers[auth.scheme === 'timestamped-hmac' ? auth.signatureHeader : auth.header] !== undefined,
    isSignedBy: ({ secrets }) =>
      secrets.webhookSecrets.some(({ value, expiresAt }) => (expiresAt === null || new Date(expiresAt) > now) && isSignedWith(value)),
  };
}
