import { createHmac } from 'node:crypto';

/**
 * HMAC-SHA-256 of an API key under the installation's pepper, 64 hex digits. A slow hash would buy nothing: the key is 256 random bits;
 * the pepper keeps a stolen table from being compared with a stolen key.
 */
export function hashApiKey(pepper: string, apiKey: string): string {
  return createHmac('sha256', pepper).update(apiKey).digest('hex');
}
