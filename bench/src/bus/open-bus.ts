import { createDatabase, runtimeUrl, type Database } from '@switchboard/db';
import { createEventBus, type EventBus, type EventBusOptions } from '@switchboard/event-bus';

/** Where the benchmark's servers are; plain JSON, so that a child process can be given it. */
export type BusAddress = { readonly brokers: string; readonly adminUrls: Readonly<Record<'embedded' | 'kafka', string>> };

export type OpenBus = { readonly bus: EventBus; readonly db: Database<unknown>; stop(): Promise<void> };

/** The servers live as long as the benchmark and listen on loopback alone. */
export const benchPassword = (role: string): string => `password-of-${role}`;

const log = {
  info: () => undefined,
  warn: (fields: object, message: string) => console.warn(message, fields),
  error: (fields: object, message: string) => console.error(message, fields),
};

/** A bus of the service `bench`, and its database; `stop` closes both. */
export function openBus(driver: 'embedded' | 'kafka', { brokers, adminUrls }: BusAddress, options?: Partial<EventBusOptions>): OpenBus {
  const urlOf = (role: string): string => runtimeUrl(adminUrls[driver], role, benchPassword(role));
  const db = createDatabase({ url: urlOf('switchboard_bench'), schema: 'bench', connectionsMax: 20, createClient: () => undefined });
  const busUrl = urlOf(driver === 'embedded' ? 'switchboard_bus' : 'switchboard_bench_bus');
  const bus = createEventBus({ driver, service: 'bench', unitOfWork: db, busUrl, kafka: { brokers: [brokers] }, log, ...options });
  return {
    bus,
    db,
    async stop() {
      await bus.stop();
      await db.close();
    },
  };
}
