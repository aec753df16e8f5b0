/**
 * The ways providers prove that a webhook is theirs, interpreted from the registry's data. Pure: bytes, headers and secrets in, yes or no
 * out, in constant time. Nothing here knows a tenant, and a doubt is a no.
 */
export { verifyWebhook } from './verify-webhook.ts';
export { signWebhook, withBodyHash, type WebhookToSign } from './sign-webhook.ts';
