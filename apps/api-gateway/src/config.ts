import { z } from 'zod';

/** Variables of the gateway alone. */
export const config = z.object({
  redisUrl: z.string().optional().describe('the Redis that several gateways share for counting requests; without it each process counts for itself').meta({ secret: true }),
  upstreamTimeoutMs: z.coerce.number().int().min(100).max(120_000).default(15_000).describe('milliseconds that a service behind the gateway gets to begin its answer'),
});
export type Config = z.output<typeof config>;
