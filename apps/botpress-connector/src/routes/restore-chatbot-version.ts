import { restoreChatbotVersion } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import { assertTenant } from '../chatbot/assert-tenant.ts';
import { restoreVersion } from '../chatbot/change-chatbot.ts';
import type { ChatbotDependencies } from '../chatbot/dependencies.ts';

export function restoreChatbotVersionRoute(deps: ChatbotDependencies): Route {
  return defineRoute(restoreChatbotVersion, async ({ params, principal }) => {
    await assertTenant(deps.callRoute, principal);
    return await restoreVersion(deps, params.version);
  });
}
