import { z } from 'zod';

/** A secret the tenant gives: any printable text. Blanks around it are a slip of the clipboard. */
export const secretText = z.string().trim().min(1).max(512);

/** An account's id at a provider, as it stands in its webhooks. */
export const accountId = z.string().trim().min(1).max(64);

/** Another address of the provider's API; the egress guard decides whether it may be called. Without a slash at the end. */
export const baseUrl = z
  .url({ protocol: /^https?$/ })
  .max(2048)
  .transform((url) => url.replace(/\/+$/, ''))
  .optional()
  .describe('Another address of the API, for gateways and tests');

export const sandbox = z.boolean().default(false).describe('Use the provider-sandbox instead of the real provider');
