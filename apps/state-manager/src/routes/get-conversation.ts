import { getConversation, hubError } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import type { Parts } from '../flow/parts.ts';
import { findConversation } from '../store/find-conversation.ts';
import { toConversationView } from '../store/read-conversations.ts';

export function getConversationRoute({ db }: Parts): Route {
  return defineRoute(getConversation, async ({ params: { conversationId } }) => {
    const conversation = await db.transaction(() => findConversation(db.sql, conversationId, 'read'));
    if (conversation === undefined) throw hubError('conversation.not_found');
    return toConversationView(conversation);
  });
}
