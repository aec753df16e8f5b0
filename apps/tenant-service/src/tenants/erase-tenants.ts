import { eventIdSchema, servicesWithTenantRows } from '@switchboard/contracts';
import { runAsSystem, runAsTenant } from '@switchboard/tenant-context';
import type { Dependencies } from '../app.ts';
import type { Erasure } from '../store/erasures.ts';
import { disconnectTenant } from './disconnect-tenant.ts';
import { finishErasure } from './finish-erasure.ts';

/** Ingest forgets a removed connection within a minute even where it did not hear of it: until then a webhook may still become a row. */
const quietMs = 70_000;
/** Services that have not answered are told again: the event may be among their dead letters. */
const tellAgainMs = 3_600_000;

type Log = { error(fields: object, message: string): void };

/**
 * Takes every tenant whose grace time is over a step further, by the clock: its connections go with their webhooks at the providers, then all
 * services erase what they keep, and when each has said so the tenant itself goes. Breaks off anywhere, and goes on with the next round.
 */
export async function eraseTenants(deps: Dependencies, log: Log): Promise<void> {
  await deps.erasures.beginDue(deps.now(), servicesWithTenantRows);
  for (const erasure of await deps.erasures.listOpen()) {
    // One that cannot go on holds up no other.
    const [outcome] = await Promise.allSettled([takeStep(deps, erasure)]);
    if (outcome.status === 'rejected') log.error({ err: outcome.reason as unknown, erasureId: erasure.erasureId }, 'a tenant could not be erased; it is tried again');
  }
}

async function takeStep(deps: Dependencies, erasure: Erasure): Promise<void> {
  const now = deps.now();
  if (erasure.disconnectedAt === null) return await disconnectTenant(deps, erasure);
  if (now.getTime() - erasure.disconnectedAt.getTime() < quietMs) return;
  const isMissing = erasure.services.some((service) => service !== 'tenant-service' && erasure.receipts[service] === undefined);
  if (!isMissing) return await finishErasure(deps, erasure);
  if (erasure.toldAt === null || now.getTime() - erasure.toldAt.getTime() >= tellAgainMs) await tellServices(deps, erasure, now);
}

async function tellServices({ db, bus, tenants, erasures }: Dependencies, { erasureId, tenantId }: Erasure, now: Date): Promise<void> {
  // The same event however often it is told: who has erased says the same again.
  const eventId = eventIdSchema.parse(`evt_${erasureId.slice('ers_'.length)}`);
  await runAsTenant(tenantId, () =>
    db.transaction(async () => {
      const { plan, rate_limit: rateLimit, time_zone: timeZone = 'UTC' } = await tenants.load();
      await bus.publish('tenant.changed', { status: 'deleted', plan, rateLimit, timeZone, reason: 'erase' }, { orderingKey: tenantId, eventId });
    }),
  );
  await runAsSystem('an erasure outlives its tenant', () => erasures.noteTold(erasureId, now));
}
