import { z } from 'zod';
import { connectionIdSchema } from '../ids.ts';
import { defineRouteContract } from './route-contract.ts';

export const getProviderToken = defineRouteContract({
  method: 'POST',
  path: '/internal/provider-tokens/:connectionId',
  summary: 'An access token of the provider for this connection; cached until shortly before it expires',
  auth: 'internal',
  callers: ['whatsapp-connector', 'genesys-connector'],
  params: z.object({ connectionId: connectionIdSchema }),
  body: z.object({
    /** A fingerprint of the token the provider just refused with 401: it is dropped, and one new token is fetched. */
    refusedFingerprint: z.string().max(64).optional(),
  }),
  reply: { status: 200, schema: z.object({ accessToken: z.string(), fingerprint: z.string(), expiresAt: z.iso.datetime() }) },
  errors: ['connection.not_found', 'provider.unauthorized', 'provider.throttled', 'provider.unavailable'],
});
