import { getStats } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import { currentTenant } from '@switchboard/tenant-context';
import type { Parts } from '../flow/parts.ts';
import { readStats } from '../store/read-stats.ts';

export function getStatsRoute({ db, routings, now }: Parts): Route {
  return defineRoute(getStats, async () => {
    const { timeZone } = await routings.current();
    const { totalMappings, totalMessages, activeConversations, todayMessages } = await db.transaction(() => readStats(db.sql, now(), timeZone));
    return { tenantId: currentTenant(), totalMappings, totalMessages, activeConversations, todayMessages };
  });
}
