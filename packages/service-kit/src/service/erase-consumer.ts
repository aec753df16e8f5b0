import { hubError } from '@switchboard/contracts';
import { eraseTenantRows } from '@switchboard/db';
import { onEvent, type Subscription } from '@switchboard/event-bus';
import type { Kit, ServiceParts } from '../port.ts';

/**
 * Every service with a database forgets a tenant whose grace time is over: files, rows, data key, events. It says what it deleted when all is
 * gone. Broken off it goes on where it was; repeated it says the same.
 */
export function eraseConsumer({ name, db, bus, now }: Pick<Kit<unknown, unknown>, 'name' | 'db' | 'bus' | 'now'>, erase?: ServiceParts['erase']): Subscription {
  return onEvent({
    type: 'tenant.changed',
    // One of its own: the service's group may hear of the same event for another reason.
    group: `${name}-erase`,
    // No inbox: its record would be a row of the tenant.
    effect: 'idempotent',
    ofErased: true,
    async handle({ tenantId, eventId, occurredAt, payload: { status, reason } }, { signal }) {
      // After it was erased nobody can change it any more: this is another one under the same id.
      if (status !== 'deleted') return await bus.erasedTenants.revive(occurredAt);
      if (reason !== 'erase' || erase === 'by-itself') return;
      await bus.erasedTenants.erase({ eventId, occurredAt }, {
        async rows(note) {
          const noteAndGoOn = (count: Readonly<Record<string, number>>) => {
            // A service that must stop ends after this batch, and the event is handled again elsewhere.
            if (signal.aborted) throw hubError('service.unavailable', { retry: 'later' });
            note(count);
          };
          const more = (await erase?.()) ?? {};
          await db.transaction(async () => noteAndGoOn(more));
          await eraseTenantRows(db, noteAndGoOn);
        },
        async done(rows) {
          await bus.publish('tenant.erased', { service: name, rows: { ...rows }, at: now().toISOString() }, { orderingKey: tenantId });
        },
      });
    },
  });
}
