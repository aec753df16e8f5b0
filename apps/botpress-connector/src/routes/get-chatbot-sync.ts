import { getChatbotSync, hubError } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import type { ChatbotDependencies } from '../chatbot/dependencies.ts';
import { loadChatbot } from '../chatbot/load-chatbot.ts';

export function getChatbotSyncRoute(deps: ChatbotDependencies): Route {
  return defineRoute(getChatbotSync, async ({ principal }) => {
    const job = await deps.syncJobs.current();
    if (job !== undefined) return job;
    await loadChatbot(deps, principal);
    throw hubError('chatbot.sync_not_found');
  });
}
