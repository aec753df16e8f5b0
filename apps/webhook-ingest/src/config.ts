import { mediaConfig } from '@switchboard/connector-kit';
import { z } from 'zod';

/** PUBLIC_WEBHOOK_URL and the media store's variables are shared with the connectors, which make the links that ingest serves. */
export const configSchema = mediaConfig.extend({
  ingestRatePerConnection: z.coerce.number().int().min(1).max(10_000_000).default(60_000).describe('verified webhooks a minute of one connection (a phone number, an inbox, a bot) in one process; more are answered 429. Against loops: Chatwoot and Botpress never send again what was refused'),
  ingestRatePerTenant: z.coerce.number().int().min(1).max(10_000_000).default(120_000).describe('the same of all connections of one tenant together'),
  webhookRetentionDays: z.coerce.number().int().min(1).max(3650).default(30).describe('days that the webhook log keeps webhooks'),
});
export type IngestConfig = z.output<typeof configSchema>;
