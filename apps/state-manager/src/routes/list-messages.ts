import { hubError, listMessages } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import { parseCursor, toCursor } from '../domain/page-cursor.ts';
import type { Parts } from '../flow/parts.ts';
import { findConversation } from '../store/find-conversation.ts';
import { readMessages } from '../store/read-messages.ts';

export function listMessagesRoute({ db }: Parts): Route {
  return defineRoute(listMessages, async ({ params: { conversationId }, query: { limit, cursor } }) => {
    const after = parseCursor(cursor, 'number') ?? 0;
    const found = await db.transaction(async () => {
      if ((await findConversation(db.sql, conversationId, 'read')) === undefined) throw hubError('conversation.not_found');
      return readMessages(db.sql, { conversationId, limit: limit + 1, after });
    });
    const data = found.slice(0, limit);
    const last = data.at(-1);
    return { data, nextCursor: found.length > limit && last !== undefined ? toCursor(last.position) : null };
  });
}
