import { postChatbot, putChatbot } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import { assertTenant } from '../chatbot/assert-tenant.ts';
import { replaceChatbot } from '../chatbot/change-chatbot.ts';
import type { ChatbotDependencies } from '../chatbot/dependencies.ts';

/** By POST and by PUT: one and the same. */
export function replaceChatbotRoutes(deps: ChatbotDependencies): Route[] {
  return [postChatbot, putChatbot].map((contract) =>
    defineRoute(contract, async ({ body, principal }) => {
      await assertTenant(deps.callRoute, principal);
      return await replaceChatbot(deps, body);
    }),
  );
}
