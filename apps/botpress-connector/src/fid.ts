import { connectionIdSchema, conversationIdSchema, type ConnectionId, type ConversationId } from '@switchboard/contracts';

/**
 * How Botpress knows a conversation, and the contact in it: one user a conversation, so that two conversations of one person never share a
 * bot's memory. 61 characters of the 70 that are allowed, of an alphabet that is (contract, section 2.2). Whose conversation it is stands in it.
 */
export function fidOf({ connectionId, conversationId }: { readonly connectionId: ConnectionId; readonly conversationId: ConversationId }): string {
  return `${connectionId}-${conversationId}`;
}

/** Undefined for anything that `fidOf` did not make. */
export function parseFid(fid: string): { readonly connectionId: ConnectionId; readonly conversationId: ConversationId } | undefined {
  const cut = fid.indexOf('-cnv_');
  const connectionId = connectionIdSchema.safeParse(fid.slice(0, Math.max(cut, 0)));
  const conversationId = conversationIdSchema.safeParse(fid.slice(cut + 1));
  return connectionId.success && conversationId.success ? { connectionId: connectionId.data, conversationId: conversationId.data } : undefined;
}
