import type { MessageReceived } from '@switchboard/contracts';
import { contactKeys } from '../domain/contact-keys.ts';
import { routeOf } from '../routing/route-of.ts';
import type { ConversationRecord } from '../store/conversation-record.ts';
import { findConversation, findConversationOfContact, findConversationOfCounterpart, type Intent } from '../store/find-conversation.ts';
import type { Parts } from './parts.ts';

/** `foreign`: it names a conversation of ours that is not there, or that is none of this connection's business. */
export type Addressed = { readonly kind: 'found'; readonly conversation: ConversationRecord } | { readonly kind: 'unknown' } | { readonly kind: 'foreign' };

/** The conversation that something came in for: by our id where the other side echoes it, else by the contact or counterpart. */
export async function findAddressed(parts: Parts, received: MessageReceived, intent: Intent): Promise<Addressed> {
  const { sql } = parts.db;
  const { connectionId, provider, role, contact, conversationId, providerConversationId } = received;
  if (conversationId !== undefined) {
    const conversation = await findConversation(sql, conversationId, intent);
    if (conversation !== undefined && (await isParty(parts, conversation, received))) return { kind: 'found', conversation };
    parts.log.warn({ connectionId, conversationId, kind: received.content.kind }, 'what names a conversation that is not its connection\'s was ignored');
    return { kind: 'foreign' };
  }
  const conversation =
    role === 'channel'
      ? await findConversationOfContact(sql, provider, connectionId, contactKeys(provider, contact).map(({ key }) => key), intent)
      : await findConversationOfCounterpart(sql, { connectionId, contactAddress: contact.address, providerConversationId }, intent);
  return conversation === undefined ? { kind: 'unknown' } : { kind: 'found', conversation };
}

/** Whether this connection is of the conversation's route, or was when they last spoke. */
async function isParty({ routings }: Parts, { channel, contact, counterparts }: ConversationRecord, { connectionId }: MessageReceived): Promise<boolean> {
  if (counterparts.some((counterpart) => counterpart.connectionId === connectionId)) return true;
  const route = routeOf(await routings.current(connectionId), channel, contact.address);
  return [route.channel, route.bot, route.desk].some((connection) => connection?.connectionId === connectionId);
}
