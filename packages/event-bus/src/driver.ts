import type pg from 'pg';
import type { BusSchema } from './bus-schema.ts';
import type { BusLog, Subscription } from './port.ts';
import type { ConsumeEvent } from './consume-event.ts';
import type { RetryPolicy } from './retry-policy.ts';

/** What carries events from `publish` to the consumers. The bus object does the rest: parsing, publishing SQL, dead letters, the clock. */
export interface BusDriver {
  /** Resolves when the consumers run and events published from now on reach them. */
  start(): Promise<void>;
  /** Stops fetching, lets running handlers finish, commits, closes. Idempotent. */
  stop(): Promise<void>;
  /** Undefined when healthy, else what is wrong. */
  unhealthy(): string | undefined;
  figures(): DriverFigures;
  /**
   * Whether this process itself reads what is published: it is told by `wake` after the commit then, and not by a notification. Postgres commits
   * transactions that notify one at a time, each with its own write to the disk, and wakes every listener of the database for each of them.
   */
  leads(): boolean;
  /** Events were committed, or may have been, that nobody was notified of. */
  wake(): void;
  /** Events that wait in the database for the driver (embedded: for a consumer; kafka: for the relay). */
  countPending(): Promise<number>;
}

/** Counters since the start; `inFlight` is a gauge. */
export type DriverFigures = { inFlight: number; handled: number; failed: number; retried: number };

/** What a driver is made from. */
export type DriverParts = {
  readonly service: string;
  readonly schema: BusSchema;
  /** Of the role that owns the bus schema. Closed by the bus object, after the driver has stopped. */
  readonly pool: pg.Pool;
  readonly busUrl: string;
  readonly subscriptions: readonly Subscription[];
  readonly consume: ConsumeEvent;
  readonly retry: RetryPolicy;
  readonly limits: BusLimits;
  readonly log: BusLog;
};

export type BusLimits = {
  /** Handlers running at once in this process, over all groups of a bus. */
  readonly concurrency: number;
  /** Handlers of one tenant running at once while no other tenant is there; beside others half of it. */
  readonly tenantConcurrency: number;
};
