import { z } from 'zod';
import type { ChatwootAccount } from './account.ts';
import { callChatwoot } from './call-chatwoot.ts';

/** `webhook_url` belongs to the channel of API inboxes. */
export async function updateInbox(account: ChatwootAccount, inboxId: number, change: Readonly<Record<string, unknown>>): Promise<void> {
  await callChatwoot(account, { method: 'PATCH', path: `/inboxes/${inboxId}`, json: change, reply: z.unknown() });
}

const agentSchema = z.object({ id: z.number().int(), email: z.string().nullish().catch(undefined), name: z.string().nullish().catch(undefined) });
export type ChatwootAgent = z.output<typeof agentSchema>;

export async function listAgents(account: ChatwootAccount): Promise<readonly ChatwootAgent[]> {
  return callChatwoot(account, { method: 'GET', path: '/agents', reply: z.array(agentSchema) });
}

/** Who sits in an inbox ("collaborators" on its page). */
export async function listInboxMembers(account: ChatwootAccount, inboxId: number): Promise<readonly ChatwootAgent[]> {
  return (await callChatwoot(account, { method: 'GET', path: `/inbox_members/${inboxId}`, reply: z.object({ payload: z.array(agentSchema) }) })).payload;
}
