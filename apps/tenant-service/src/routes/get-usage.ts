import { endOfMonth, getUsage, monthAt, planLimits, type UsageView } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import type { Dependencies } from '../app.ts';

export function getUsageRoute({ tenants, usage, now }: Dependencies): Route {
  return defineRoute(getUsage, async ({ query }): Promise<UsageView> => {
    const { plan, time_zone: timeZone = 'UTC' } = await tenants.load();
    const month = query.month ?? monthAt(now(), timeZone).month;
    const { byChannel, ...totals } = await usage.load(month);
    const sum = (direction: 'inbound' | 'outbound') => byChannel.reduce((total, channel) => total + channel[direction], 0);
    const [inbound, outbound] = [sum('inbound'), sum('outbound')];
    return {
      month,
      timeZone,
      plan,
      limit: planLimits[plan].messagesPerMonth,
      messages: { total: inbound + outbound, inbound, outbound, byChannel: [...byChannel] },
      ...totals,
      resetsAt: endOfMonth(month, timeZone).toISOString(),
    };
  });
}
