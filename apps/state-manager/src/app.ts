import { createMonthClock, getRoutesInternal } from '@switchboard/contracts';
import type { Kit, ServiceParts } from '@switchboard/service-kit';
import type { Config } from './config.ts';
import { onHandoffRequested } from './consumers/on-handoff-requested.ts';
import { onLeadCaptured } from './consumers/on-lead-captured.ts';
import { onMessageReceived } from './consumers/on-message-received.ts';
import { onMessageStatus } from './consumers/on-message-status.ts';
import { onRoutingChanged } from './consumers/on-routing-changed.ts';
import type { Parts } from './flow/parts.ts';
import { createLeadRoute } from './routes/create-lead.ts';
import { createMappingRoute } from './routes/create-mapping.ts';
import { exportLeadsRoute } from './routes/export-leads.ts';
import { getConversationRoute } from './routes/get-conversation.ts';
import { getLeadRoute } from './routes/get-lead.ts';
import { getMappingRoute } from './routes/get-mapping.ts';
import { getStatsRoute } from './routes/get-stats.ts';
import { listConversationsRoute } from './routes/list-conversations.ts';
import { listLeadsRoute } from './routes/list-leads.ts';
import { listMessagesRoute } from './routes/list-messages.ts';
import { replaceConnectionRoute } from './routes/replace-connection.ts';
import { sendMessageRoute } from './routes/send-message.ts';
import { updateLeadRoute } from './routes/update-lead.ts';
import { createTenantRoutings } from './routing/tenant-routing.ts';
import type { PrismaClient } from './store/generated/client.ts';
import { closeIdleConversations } from './tasks/close-idle-conversations.ts';
import { dropEarlyStatuses } from './tasks/drop-early-statuses.ts';
import { dropOldUsage, reportUsage } from './tasks/report-usage.ts';

export function build({ db, bus, callRoute, config, now, log }: Kit<Config, PrismaClient>): ServiceParts {
  const routings = createTenantRoutings({ load: () => callRoute('tenant-service', getRoutesInternal, {}), now });
  const parts: Parts = { db, bus, routings, now, monthAt: createMonthClock(), log };
  return {
    routes: [
      getStatsRoute(parts),
      listConversationsRoute(parts),
      getConversationRoute(parts),
      listMessagesRoute(parts),
      sendMessageRoute(parts),
      createMappingRoute(parts),
      getMappingRoute(parts),
      listLeadsRoute(parts),
      createLeadRoute(parts),
      getLeadRoute(parts),
      updateLeadRoute(parts),
      exportLeadsRoute(parts),
      replaceConnectionRoute(parts),
    ],
    consumers: [onMessageReceived(parts), onMessageStatus(parts), onHandoffRequested(parts), onLeadCaptured(parts), ...onRoutingChanged(routings)],
    tasks: [
      { name: 'close-idle-conversations', cron: '*/10 * * * *', run: () => closeIdleConversations(parts, config.conversationIdleHours) },
      { name: 'drop-early-statuses', cron: '17 * * * *', run: () => dropEarlyStatuses(parts, config.earlyStatusHours) },
      { name: 'report-usage', cron: '* * * * *', run: () => reportUsage(parts) },
      { name: 'drop-old-usage', cron: '43 3 * * *', run: () => dropOldUsage(parts) },
    ],
  };
}
