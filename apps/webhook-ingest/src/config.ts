import { mediaConfig } from '@switchboard/connector-kit';
import { z } from 'zod';

/** PUBLIC_WEBHOOK_URL and the media store's variables are shared with the connectors, which make the links that ingest serves. */
export const configSchema = mediaConfig.extend({
  webhookRetentionDays: z.coerce.number().int().min(1).max(3650).default(30).describe('days that the webhook log keeps webhooks'),
});
export type IngestConfig = z.output<typeof configSchema>;
