import { listConversations } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import { parseCursor, toCursor } from '../domain/page-cursor.ts';
import type { Parts } from '../flow/parts.ts';
import { readConversations, toConversationView } from '../store/read-conversations.ts';

export function listConversationsRoute({ db }: Parts): Route {
  return defineRoute(listConversations, async ({ query: { limit, cursor, status } }) => {
    const before = parseCursor(cursor, 'string');
    // One more than asked tells whether there is another page.
    const found = await db.transaction(() => readConversations(db.sql, { limit: limit + 1, before, status }));
    const page = found.slice(0, limit);
    const last = page.at(-1);
    return { data: page.map((conversation) => toConversationView(conversation)), nextCursor: found.length > limit && last !== undefined ? toCursor(last.conversationId) : null };
  });
}
