import { newId, parseEnvelope } from '@switchboard/contracts';
import { runAsTenant, runWithTrace } from '@switchboard/tenant-context';
import type { ConsumeEvent } from '../consume-event.ts';
import type { BusLog, EventBus, Subscription } from '../port.ts';
import { createBroadcastConsumer } from './broadcast-consumer.ts';
import { createClient } from './create-client.ts';
import { byGroup } from './create-kafka-driver.ts';
import { createTopics } from './create-topics.ts';
import type { GroupConsumer } from './group-consumer.ts';
import type { KafkaOptions } from './kafka-options.ts';

/** Waits for Kafka at the start; beyond this the service runs and its listeners join when they can: what they keep is bounded by age too. */
const startMsMax = 20_000;

type Options = { readonly service: string; readonly kafka: KafkaOptions; readonly log: BusLog };

/** The end of the bus of a service without database: it hears broadcasts, to drop what it keeps in memory, and can do nothing else. */
export function createListeningBus({ service, kafka: options, log }: Options): EventBus {
  const subscriptions: Subscription[] = [];
  const abort = new AbortController();
  let consumers: GroupConsumer[] = [];
  let started = false;
  const refuse = (what: string): never => {
    throw new Error(`${service} has no database: it cannot ${what}`);
  };

  return {
    publish: async () => refuse('publish'),
    publishMany: async () => refuse('publish'),
    subscribe(subscription) {
      if (subscription.delivery !== 'broadcast' || subscription.effect !== 'idempotent') refuse('consume anything but idempotent broadcasts');
      subscriptions.push(subscription);
    },
    schedule: () => refuse('keep a clock'),
    async start() {
      started = true;
      if (subscriptions.length === 0) return;
      const kafka = createClient(service, options, log);
      const consume = consumeBroadcasts(subscriptions, log);
      consumers = [...byGroup(subscriptions)].map(([group, types]) => createBroadcastConsumer({ kafka, options, group, types, consume, signal: abort.signal, log }));
      const running = createTopics(kafka, options)
        .catch((error: unknown) => log.warn({ err: error }, 'topics could not be made now'))
        .then(() => Promise.all(consumers.map((consumer) => consumer.start())));
      let giveUp: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => (giveUp = setTimeout(resolve, startMsMax)));
      await Promise.race([running, late]);
      clearTimeout(giveUp);
    },
    async stop() {
      abort.abort();
      for (const consumer of consumers) consumer.quiesce();
      await Promise.all(consumers.map((consumer) => consumer.stop()));
    },
    unhealthy: async () => (started ? undefined : 'the bus is not started'),
    deadLetters: { list: async () => refuse('keep dead letters'), find: async () => refuse('keep dead letters'), redrive: async () => refuse('keep dead letters') },
    erasedTenants: { admit: () => undefined, erase: async () => refuse('erase anything'), revive: async () => undefined },
    metrics: async () => ({ inFlight: 0, outboxPending: 0, deadLetters: 0, handled: 0, failed: 0, retried: 0 }),
  };
}

/** At most once, without inbox and retries: what a broadcast drops is dropped by age as well. */
function consumeBroadcasts(subscriptions: readonly Subscription[], log: BusLog): ConsumeEvent {
  return async ({ group, envelope, attempt, signal }) => {
    try {
      const event = parseEnvelope(envelope);
      const heard = subscriptions.filter((subscription) => subscription.group === group && subscription.type === event.type);
      const trace = { requestId: newId('req'), traceparent: event.traceparent, causedBy: event.eventId };
      const context = { attempt, signal, commit: (effect: () => Promise<void>) => effect() };
      await runAsTenant(event.tenantId, () => runWithTrace(trace, () => Promise.all(heard.map((subscription) => subscription.handle(event, context)))));
    } catch (error) {
      log.warn({ err: error, group }, 'a broadcast was not heard');
    }
    return { kind: 'done', settled: false };
  };
}
