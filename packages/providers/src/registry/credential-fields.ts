import { z } from 'zod';
import type { FormFault } from '../provider.ts';

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

/**
 * Address of a server that the tenant names: host, port and path. Kept without a slash at the end; a query, a fragment or a name and password in it
 * would end up in every call. The egress guard decides whether it may be called.
 */
export const serverUrl = z
  .url({ protocol: /^https?$/ })
  .max(2048)
  .refine((url) => /^https?:\/\/[^/?#@]+(?:\/[^?#]*)?$/i.test(url), 'use the address alone: no name, password, query or fragment')
  .transform((url) => url.replace(/\/+$/, ''));

/** Faults of those fields that are not given. */
export function needed(form: Readonly<Record<string, unknown>>, fields: readonly string[], message: string): FormFault[] {
  return fields.filter((field) => form[field] === undefined).map((path) => ({ path, message }));
}

/** Faults of those fields that are given. */
export function refused(form: Readonly<Record<string, unknown>>, fields: readonly string[], message: string): FormFault[] {
  return fields.filter((field) => form[field] !== undefined).map((path) => ({ path, message }));
}
