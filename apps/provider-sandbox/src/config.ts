import { z } from 'zod';

export const config = z.object({
  sandboxJournal: z.string().optional().describe('File in which the sandbox keeps its accounts and what it was sent, so that a restart forgets nothing. Unset: memory only.'),
  sandboxPublicUrl: z.url().default('http://127.0.0.1:3020').describe('Address under which the hub reaches the sandbox; stands in media URLs.'),
  publicWebhookUrl: z.url().default('http://127.0.0.1:3003').describe('Address of webhook-ingest, to which the sandbox posts as Meta does to an app\'s callback URL.'),
});
