import { listConversations } from '@switchboard/contracts';
import { defineRoute, pageOfRows, readCursor, type Route } from '@switchboard/service-kit';
import type { Parts } from '../flow/parts.ts';
import { readConversations, toConversationView } from '../store/read-conversations.ts';

export function listConversationsRoute({ db }: Parts): Route {
  return defineRoute(listConversations, async ({ query: { limit, cursor, status } }) => {
    const before = readCursor(cursor);
    // One more than asked tells whether there is another page.
    const found = await db.transaction(() => readConversations(db.sql, { limit: limit + 1, before, status }));
    const page = pageOfRows(found, limit, ({ conversationId }) => conversationId);
    return { ...page, data: page.data.map((conversation) => toConversationView(conversation)) };
  });
}
