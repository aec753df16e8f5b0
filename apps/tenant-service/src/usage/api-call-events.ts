import type { BodyOf, Envelope, EventId, Month, recordApiCalls, TenantId } from '@switchboard/contracts';
import { createHash } from 'node:crypto';

type Batch = BodyOf<typeof recordApiCalls>;
type Clock = { readonly now: Date; readonly monthAt: (at: Date, timeZone: string) => Month };

/**
 * What a batch of the gateway says as events: one for each tenant and month. Their ids are made from the batch, so that a batch that comes
 * again is known to whoever has had it. Tenants without a time zone are nobody's.
 */
export function apiCallEvents({ batchId, calls }: Batch, timeZones: ReadonlyMap<TenantId, string>, { now, monthAt }: Clock): Envelope<'usage.recorded'>[] {
  const sums = new Map<string, { readonly tenantId: TenantId; readonly month: string; count: number }>();
  for (const { tenantId, count, at } of calls) {
    const timeZone = timeZones.get(tenantId);
    if (timeZone === undefined) continue;
    const { month } = monthAt(new Date(at), timeZone);
    const key = `${tenantId} ${month}`;
    const sum = sums.get(key) ?? { tenantId, month, count: 0 };
    sum.count += count;
    sums.set(key, sum);
  }
  return [...sums].map(([key, { tenantId, month, count }]) => ({
    eventId: eventIdOf(batchId, key),
    type: 'usage.recorded',
    version: 1,
    tenantId,
    occurredAt: now.toISOString(),
    orderingKey: tenantId,
    payload: { month, messages: [], mediaBytes: 0, apiCalls: count, contacts: [] },
  }));
}

function eventIdOf(batchId: string, key: string): EventId {
  return `evt_${createHash('sha256').update(`${batchId} ${key}`).digest('hex').slice(0, 36)}`;
}
