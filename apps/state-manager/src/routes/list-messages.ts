import { hubError, listMessages } from '@switchboard/contracts';
import { defineRoute, pageOfRows, readPositionCursor, type Route } from '@switchboard/service-kit';
import type { Parts } from '../flow/parts.ts';
import { findConversation } from '../store/find-conversation.ts';
import { readMessages } from '../store/read-messages.ts';

export function listMessagesRoute({ db }: Parts): Route {
  return defineRoute(listMessages, async ({ params: { conversationId }, query: { limit, cursor } }) => {
    const after = readPositionCursor(cursor) ?? 0;
    const found = await db.transaction(async () => {
      if ((await findConversation(db.sql, conversationId, 'read')) === undefined) throw hubError('conversation.not_found');
      return readMessages(db.sql, { conversationId, limit: limit + 1, after });
    });
    return pageOfRows(found, limit, ({ position }) => position);
  });
}
