import { getStats, type TenantId } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import { currentTenant } from '@switchboard/tenant-context';
import type { Parts } from '../flow/parts.ts';
import { readStats, type Stats } from '../store/read-stats.ts';

export function getStatsRoute({ db, routings, now }: Parts): Route {
  // Counting reads much: one count a tenant at a time, shared by all who ask meanwhile, so that no tenant's dashboards take the connections
  // that everybody's messages need.
  const counting = new Map<TenantId, Promise<Stats>>();

  const count = async (): Promise<Stats> => {
    const { timeZone } = await routings.current();
    return db.transaction(() => readStats(db.sql, now(), timeZone));
  };

  return defineRoute(getStats, async () => {
    const tenantId = currentTenant();
    const running = counting.get(tenantId) ?? count().finally(() => counting.delete(tenantId));
    counting.set(tenantId, running);
    const { totalMappings, totalMessages, activeConversations, todayMessages } = await running;
    return { tenantId, totalMappings, totalMessages, activeConversations, todayMessages };
  });
}
