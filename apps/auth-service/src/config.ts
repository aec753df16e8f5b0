import { z } from 'zod';

export const configSchema = z.object({
  tokenIssuer: z.string().min(1).default('switchboard').describe('what access tokens name as their issuer ("iss"); others who verify them expect it, so changing it logs everybody out'),
});
export type Config = z.output<typeof configSchema>;
