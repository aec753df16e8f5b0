import type { BusDriver, DriverParts } from '../driver.ts';
import { createPendingStore } from '../lanes/pending-store.ts';
import type { LaneConsumer } from '../lanes/lane-runner.ts';
import { notifyLeader } from '../lanes/notify-leader.ts';
import { acquireLaneRunner, type LaneRunnerOfProcess } from './acquire-lane-runner.ts';

/** Postgres alone: `publish` writes a row for each subscribed group, and the lane runner of this process works them off. */
export function createEmbeddedDriver(parts: DriverParts): BusDriver {
  const { pool, schema, subscriptions, consume, log } = parts;
  const groupsOf = (delivery: 'group' | 'broadcast'): string[] => [...new Set(subscriptions.filter((subscription) => (subscription.delivery ?? 'group') === delivery).map(({ group }) => group))];
  const consumer: LaneConsumer = { groups: groupsOf('group'), consume, figures: { inFlight: 0, handled: 0, failed: 0, retried: 0 } };
  const listener = { groups: groupsOf('broadcast'), consume };
  const store = createPendingStore(pool, schema);
  let held: { shared: LaneRunnerOfProcess; release: () => Promise<void> } | undefined;

  return {
    async start() {
      await storeSubscriptions(parts);
      held = await acquireLaneRunner(parts);
      held.shared.broadcasts.listeners.add(listener);
      held.shared.runner.add(consumer);
    },
    async stop() {
      const stopping = held;
      held = undefined;
      if (stopping === undefined) return;
      stopping.shared.broadcasts.listeners.delete(listener);
      await stopping.shared.runner.remove(consumer);
      await stopping.release();
    },
    unhealthy: () => (held === undefined ? 'the bus is not started' : held.shared.runner.unhealthy()),
    figures: () => ({ ...consumer.figures }),
    leads: () => held?.shared.runner.leads === true,
    wake: () => (held === undefined ? notifyLeader(pool, `${schema.name}_pending`, log) : held.shared.runner.wake()),
    countPending: () => store.count(),
  };
}

/** From here on `publish` keeps events for these groups, whether they run or not; those the service no longer has get no new ones. */
async function storeSubscriptions({ pool, schema, service, subscriptions }: DriverParts): Promise<void> {
  const rows = subscriptions.map(({ type, group, delivery = 'group' }) => ({ type, group, delivery }));
  await pool.query(
    `with wanted as (select * from jsonb_to_recordset($2::jsonb) as wanted (type text, "group" text, delivery text)),
     dropped as (
       delete from ${schema.name}.subscriptions s where s.service = $1 and not exists (select from wanted w where w.type = s.type and w."group" = s.consumer_group)
     )
     insert into ${schema.name}.subscriptions (type, consumer_group, service, delivery) select type, "group", $1, delivery from wanted
     on conflict (type, consumer_group) do update set service = excluded.service, delivery = excluded.delivery`,
    [service, JSON.stringify(rows)],
  );
}
