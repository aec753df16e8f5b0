import { z } from 'zod';
import type { ChatwootAccount } from './account.ts';
import { callChatwoot } from './call-chatwoot.ts';

const inboxSchema = z.object({ id: z.number().int(), name: z.string().nullish().catch(undefined), channel_type: z.string().nullish().catch(undefined), enable_auto_assignment: z.boolean().nullish().catch(undefined), greeting_enabled: z.boolean().nullish().catch(undefined) });
export type ChatwootInbox = z.infer<typeof inboxSchema>;

export async function getInbox(account: ChatwootAccount, inboxId: number): Promise<ChatwootInbox> {
  return callChatwoot(account, { method: 'GET', path: `/inboxes/${inboxId}`, reply: inboxSchema });
}

export async function listInboxes(account: ChatwootAccount): Promise<readonly ChatwootInbox[]> {
  const { payload } = await callChatwoot(account, { method: 'GET', path: '/inboxes', reply: z.object({ payload: z.array(inboxSchema) }) });
  return payload;
}

/** `webhook_url` belongs to the channel of API inboxes. */
export async function updateInbox(account: ChatwootAccount, inboxId: number, change: Readonly<Record<string, unknown>>): Promise<void> {
  await callChatwoot(account, { method: 'PATCH', path: `/inboxes/${inboxId}`, json: change, reply: z.unknown() });
}

/** With all its conversations; Chatwoot does it a while later. */
export async function deleteInbox(account: ChatwootAccount, inboxId: number): Promise<void> {
  await callChatwoot(account, { method: 'DELETE', path: `/inboxes/${inboxId}`, reply: z.unknown() });
}

export async function listAgents(account: ChatwootAccount): Promise<readonly { readonly id: number; readonly email?: string | null | undefined; readonly name?: string | null | undefined }[]> {
  return callChatwoot(account, { method: 'GET', path: '/agents', reply: z.array(z.object({ id: z.number().int(), email: z.string().nullish().catch(undefined), name: z.string().nullish().catch(undefined) })) });
}
