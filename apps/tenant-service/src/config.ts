import { z } from 'zod';

const withoutSlash = (url: string) => url.replace(/\/+$/, '');

export const configSchema = z.object({
  apiKeyPepper: z.string().min(32).describe('at least 32 characters; API keys are stored as HMACs under it, so changing it revokes every key').meta({ secret: true }),
  publicWebhookUrl: z.url().default('http://127.0.0.1:3003').transform(withoutSlash).describe('the address of webhook-ingest as providers reach it'),
  sandboxEnabled: z.stringbool().default(false).describe('whether connections may use the provider-sandbox ("sandbox": true)'),
  sandboxUrl: z.url().default('http://127.0.0.1:3020').transform(withoutSlash).describe('the address of the provider-sandbox'),
  webhookSecretOverlapHours: z.coerce.number().min(0).max(720).default(24).describe('how many hours a replaced webhook secret stays valid'),
  tenantDeleteGraceHours: z.coerce.number().min(0).max(87_600).default(720).describe('how many hours a deleted tenant can be restored before everything of it is erased'),
  connectWaitMs: z.coerce.number().int().min(0).max(60_000).default(8_000).describe('the most milliseconds an answer to new credentials waits for the provider to finish what it began'),
});
export type Config = z.output<typeof configSchema>;
