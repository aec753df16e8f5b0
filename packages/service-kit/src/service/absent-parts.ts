import type { Database } from '@switchboard/db';
import type { EventBus } from '@switchboard/event-bus';
import type { KeyProvider } from '@switchboard/secrets';
import { StartRefusal } from './start-refusal.ts';

/** The database of a service that has none: no transaction, so work runs as it is; any SQL is a defect. */
export function absentDatabase(service: string): Database<never> {
  const absent = (): never => {
    throw new Error(`${service} has no database`);
  };
  return {
    transaction: (fn) => fn(),
    sql: { query: absent, enqueue: absent },
    afterCommit: absent,
    get prisma() {
      return absent();
    },
    unhealthy: async () => undefined,
    close: async () => undefined,
  };
}

/** The bus of a service that was given none: it starts and stops, and says what is missing as soon as it is used. */
export function absentBus(service: string): EventBus {
  const absent = (): never => {
    throw new StartRefusal(`${service} has no bus: set BUS_DATABASE_URL (embedded) or KAFKA_BROKERS (kafka)`);
  };
  return {
    publish: async () => absent(),
    publishMany: async () => absent(),
    subscribe: absent,
    schedule: absent,
    start: async () => undefined,
    stop: async () => undefined,
    unhealthy: async () => undefined,
    deadLetters: { list: async () => absent(), find: async () => absent(), redrive: async () => absent() },
    erasedTenants: { admit: () => undefined, erase: async () => absent(), revive: async () => undefined },
    metrics: async () => ({ inFlight: 0, outboxPending: 0, deadLetters: 0, handled: 0, failed: 0, retried: 0 }),
  };
}

/** The key provider of a service that seals nothing. */
export function absentKeyProvider(service: string): KeyProvider {
  const absent = (): never => {
    throw new Error(`${service} seals secrets and needs a key provider: set KEY_ENCRYPTION_KEY (or KEY_ENCRYPTION_KEY_FILE), or KEY_PROVIDER and what it needs`);
  };
  return {
    currentKeyId: async () => absent(),
    owns: () => false,
    wrap: async () => absent(),
    unwrap: async () => absent(),
  };
}
