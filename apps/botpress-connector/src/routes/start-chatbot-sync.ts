import { startChatbotSync } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import type { ChatbotDependencies } from '../chatbot/dependencies.ts';
import { loadChatbot } from '../chatbot/load-chatbot.ts';

export function startChatbotSyncRoute(deps: ChatbotDependencies): Route {
  return defineRoute(startChatbotSync, async ({ principal }) => {
    await loadChatbot(deps, principal);
    return await deps.db.transaction(async () => {
      const job = await deps.syncJobs.queue({ now: deps.now(), delayMs: 0, putOffMsMax: 0 });
      deps.db.afterCommit(() => deps.syncWorker.wake(0));
      return job;
    });
  });
}
