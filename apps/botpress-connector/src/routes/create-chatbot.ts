import { createChatbot, hubError, type TenantId } from '@switchboard/contracts';
import { defineRoute, type Principal, type Route } from '@switchboard/service-kit';
import { runAsTenant } from '@switchboard/tenant-context';
import { assertTenant } from '../chatbot/assert-tenant.ts';
import { setUpChatbot } from '../chatbot/change-chatbot.ts';
import type { ChatbotDependencies } from '../chatbot/dependencies.ts';

export function createChatbotRoute(deps: ChatbotDependencies): Route {
  return defineRoute(createChatbot, ({ body: { tenantId, config, knowledgeBase }, principal }) =>
    // The platform's word for a tenant stands in the body here: the path has none.
    runAsTenant(tenantOf(principal, tenantId), async () => {
      await assertTenant(deps.callRoute, principal);
      return await setUpChatbot(deps, { config, knowledgeBase });
    }),
  );
}

function tenantOf(principal: Principal, named: TenantId | undefined): TenantId {
  if (principal.kind === 'tenant') {
    if (named !== undefined && named !== principal.tenantId) throw hubError('tenant.not_found');
    return principal.tenantId;
  }
  if (named === undefined) throw hubError('request.invalid', { issues: [{ path: 'body.tenantId', message: 'is needed: say whose chatbot it is' }] });
  return named;
}
