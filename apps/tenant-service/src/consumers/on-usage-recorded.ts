import { planLimits, type PayloadOf } from '@switchboard/contracts';
import { onEvent, type EventBus, type Subscription } from '@switchboard/event-bus';
import { currentTenant } from '@switchboard/tenant-context';
import type { Audit } from '../store/audit.ts';
import type { UsageStore } from '../store/usage.ts';
import { reachedThresholds } from '../usage/reached-thresholds.ts';
import type { LimitMetrics } from '../usage/limit-metrics.ts';

export type UsageParts = {
  readonly usage: UsageStore;
  readonly audit: Audit;
  readonly bus: Pick<EventBus, 'publish'>;
  readonly now: () => Date;
  readonly log: { warn(fields: object, message: string): void };
  readonly limitMetrics: LimitMetrics;
};

/** Sums up what a tenant used, once for each event, and says when that is 80 or 100 % of its plan. */
export function onUsageRecorded(parts: UsageParts): Subscription {
  return onEvent({
    type: 'usage.recorded',
    group: 'tenant-service',
    effect: 'transaction',
    handle: async ({ payload }) => {
      const sum = await parts.usage.add(payload);
      if (sum === undefined || payload.messages.length === 0) return;
      const { plan, used } = sum;
      const limit = planLimits[plan].messagesPerMonth;
      for (const threshold of reachedThresholds(used, limit)) await tellReached(parts, { month: payload.month, threshold, used, limit: limit ?? 0 });
    },
  });
}

/** Once for a tenant, month, threshold and limit: a larger plan is a new limit, of which it is told anew. */
async function tellReached({ usage, audit, bus, now, log, limitMetrics }: UsageParts, reached: PayloadOf<'plan_limit.reached'>): Promise<void> {
  if (!(await usage.noteReached(reached, now()))) return;
  const tenantId = currentTenant();
  await bus.publish('plan_limit.reached', reached, { orderingKey: tenantId });
  await audit.append({ actor: 'hub', action: 'plan_limit.reached', subject: tenantId, facts: reached });
  limitMetrics.reached(reached.threshold);
  log.warn({ tenantId, ...reached }, 'a tenant reached a limit of its plan');
}
