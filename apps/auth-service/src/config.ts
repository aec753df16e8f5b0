import { z } from 'zod';

export const configSchema = z.object({
  tokenIssuer: z.string().min(1).default('switchboard').describe('what access tokens name as their issuer ("iss"); others who verify them expect it, so changing it logs everybody out'),
  publicGatewayUrl: z
    .url({ protocol: /^https?$/ })
    .default('http://127.0.0.1:3000')
    .transform((url) => url.replace(/\/+$/, ''))
    .describe('where browsers reach the gateway: identity providers send people back to /auth/sso/callback/<tenant> there; the same as the gateway\'s own PUBLIC_GATEWAY_URL'),
  redisUrl: z.string().optional().describe('the Redis in which the processes of this service keep together what they remember of tenants; without it each keeps its own').meta({ secret: true }),
});
export type Config = z.output<typeof configSchema>;
