import { mediaConfig } from '@switchboard/connector-kit';
import { z } from 'zod';

export const configSchema = mediaConfig.extend({
  chatwootServerCallsPerMinute: z.coerce.number().int().min(1).max(1_000_000).default(2_400).describe('Calls a minute that this process makes to one Chatwoot server, all tenants together; a server takes 3000 of one address. Several processes share them'),
  chatwootMoveQuietSeconds: z.coerce.number().int().min(1).max(86_400).default(120).describe('A tenant moves to another Chatwoot account: seconds without anything new in the old inbox after which nothing is on its way there any more, and both sides are counted'),
});
export type Config = z.output<typeof configSchema>;
