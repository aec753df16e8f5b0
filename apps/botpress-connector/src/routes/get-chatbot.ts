import { getChatbot } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import type { ChatbotDependencies } from '../chatbot/dependencies.ts';
import { loadChatbot } from '../chatbot/load-chatbot.ts';

export function getChatbotRoute(deps: ChatbotDependencies): Route {
  return defineRoute(getChatbot, async ({ principal }) => loadChatbot(deps, principal));
}
