import { mediaConfig } from '@switchboard/connector-kit';
import { z } from 'zod';

/** Room for about a thousand knowledge bases of 20 KB with their indexes. */
const chatbotCacheBytesDefault = 128 * 1024 * 1024;

export const botpressConfig = mediaConfig.extend({
  redisUrl: z.string().optional().describe('the Redis in which the processes of this service keep chatbots together; without it each keeps its own').meta({ secret: true }),
  chatbotCacheBytes: z.coerce.number().int().min(1_000_000).default(chatbotCacheBytesDefault).describe('bytes of chatbots that a process keeps in memory'),
  chatbotSyncParallel: z.coerce.number().int().min(1).max(50).default(1).describe('chatbots that a process pushes to their bots at the same time; each is of another tenant. More of them are done sooner and are felt by the turns of conversations'),
});
export type BotpressConfig = z.output<typeof botpressConfig>;
