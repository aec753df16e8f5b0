import { listChatbotVersions } from '@switchboard/contracts';
import { defineRoute, pageOfRows, readPositionCursor, type Route } from '@switchboard/service-kit';
import type { ChatbotDependencies } from '../chatbot/dependencies.ts';
import { loadChatbot } from '../chatbot/load-chatbot.ts';

export function listChatbotVersionsRoute(deps: ChatbotDependencies): Route {
  return defineRoute(listChatbotVersions, async ({ query: { limit, cursor }, principal }) => {
    const before = readPositionCursor(cursor);
    const { version: current } = await loadChatbot(deps, principal);
    const rows = await deps.chatbotStore.listVersions({ limit: limit + 1, ...(before !== undefined && { before }) });
    const page = pageOfRows(rows, limit, ({ version }) => version);
    return { ...page, data: page.data.map(({ createdAt, ...row }) => ({ ...row, isCurrent: row.version === current, createdAt: createdAt.toISOString() })) };
  });
}
