import type { BusMetrics, EventBus } from '@switchboard/event-bus';
import { Gauge, type Registry } from 'prom-client';

const says = {
  inFlight: 'Events being handled now.',
  outboxPending: 'Events that wait to be carried.',
  deadLetters: 'Events that could not be handled and wait for somebody.',
  handled: 'Events handled since the start.',
  failed: 'Events given up since the start.',
  retried: 'Attempts that were put off since the start.',
} as const satisfies Record<keyof BusMetrics, string>;

/** Figures of the bus in /metrics, asked for once a scrape. */
export function observeBus(registry: Registry, bus: EventBus): void {
  let sampling: Promise<BusMetrics> | undefined;
  // The registry starts all collectors of a scrape before it waits for the first: they share one question to the bus.
  const sample = () =>
    (sampling ??= bus.metrics().finally(() => {
      sampling = undefined;
    }));
  // Object.entries widens the names.
  for (const [name, help] of Object.entries(says) as [keyof BusMetrics, string][]) {
    const gauge: Gauge = new Gauge({
      name: `switchboard_bus_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`,
      help,
      registers: [registry],
      collect: async () => {
        gauge.set((await sample())[name]);
      },
    });
  }
}
