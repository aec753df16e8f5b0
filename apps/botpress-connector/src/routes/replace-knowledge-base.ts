import { replaceKnowledgeBase } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import { assertTenant } from '../chatbot/assert-tenant.ts';
import { replaceKnowledge } from '../chatbot/change-chatbot.ts';
import type { ChatbotDependencies } from '../chatbot/dependencies.ts';

export function replaceKnowledgeBaseRoute(deps: ChatbotDependencies): Route {
  return defineRoute(replaceKnowledgeBase, async ({ body, principal }) => {
    await assertTenant(deps.callRoute, principal);
    return await replaceKnowledge(deps, body.knowledgeBase);
  });
}
