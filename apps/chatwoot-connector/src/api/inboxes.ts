import { z } from 'zod';
import type { ChatwootAccount } from './account.ts';
import { callChatwoot } from './call-chatwoot.ts';

/** `webhook_url` belongs to the channel of API inboxes. */
export async function updateInbox(account: ChatwootAccount, inboxId: number, change: Readonly<Record<string, unknown>>): Promise<void> {
  await callChatwoot(account, { method: 'PATCH', path: `/inboxes/${inboxId}`, json: change, reply: z.unknown() });
}

export async function listAgents(account: ChatwootAccount): Promise<readonly { readonly id: number; readonly email?: string | null | undefined; readonly name?: string | null | undefined }[]> {
  return callChatwoot(account, { method: 'GET', path: '/agents', reply: z.array(z.object({ id: z.number().int(), email: z.string().nullish().catch(undefined), name: z.string().nullish().catch(undefined) })) });
}
