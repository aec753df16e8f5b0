import { z } from 'zod';

export const config = z.object({
  SANDBOX_JOURNAL: z.string().optional().describe('File in which the sandbox keeps its accounts and what it was sent, so that a restart forgets nothing. Unset: memory only.'),
  SANDBOX_PUBLIC_URL: z.url().optional().describe('Address under which the hub reaches the sandbox; stands in media URLs. Default: http://127.0.0.1:<PORT>.'),
  PUBLIC_WEBHOOK_URL: z.url().default('http://127.0.0.1:3003').describe('Address of webhook-ingest, to which the sandbox posts as Meta does to an app\'s callback URL.'),
});
