import { createMonthClock, recordApiCalls } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import { runAsSystem } from '@switchboard/tenant-context';
import type { Dependencies } from '../../app.ts';
import { apiCallEvents } from '../../usage/api-call-events.ts';

export function recordApiCallsRoute({ db, bus, usage, now }: Dependencies): Route {
  const monthAt = createMonthClock();
  return defineRoute(recordApiCalls, ({ body }) =>
    runAsSystem('a batch of the gateway holds calls of many tenants', () =>
      db.transaction(async () => {
        const timeZones = await usage.findTimeZones(body.calls.map(({ tenantId }) => tenantId));
        await bus.publishMany(apiCallEvents(body, timeZones, { now: now(), monthAt }));
      }),
    ),
  );
}
