import { newId, type Envelope, type TenantId } from '@switchboard/contracts';
import { runAsTenant } from '@switchboard/tenant-context';
import { Client } from 'pg';
import type { BusDriverName } from '../bus-schema.ts';
import { createEventBus } from '../create-event-bus.ts';
import type { BusLimits } from '../driver.ts';
import { installBus } from '../install/install-bus.ts';
import type { BusLog, EventBus, UnitOfWork } from '../port.ts';
import type { RetryPolicy } from '../retry-policy.ts';
import { createPgUnitOfWork } from './pg-unit-of-work.ts';

/** Where a bus runs; plain JSON, so that a child process can be given it. */
export type BusPlace = {
  readonly driver: BusDriverName;
  readonly service: string;
  readonly busUrl: string;
  /** Of the service's runtime role. */
  readonly databaseUrl: string;
  readonly kafka?: { readonly brokers: readonly string[] };
};

/** What `describeBus` runs against. */
export type BusUnderTest = {
  readonly place: BusPlace;
  readonly adminUrl: string;
  /** Ends the broker hard and starts it again. Embedded: cuts every connection to the database. */
  readonly restartBroker: () => Promise<void>;
  close(): Promise<void>;
};

export const testService = 'bustest';

/** Roles, the bus, and a table where handlers leave their effects, in a fresh database. `password` is the roles' password. */
export async function installTestBus({ adminUrl, driver, password }: { adminUrl: string; driver: BusDriverName; password: (role: string) => string }): Promise<{ busRole: string; runtimeRole: string }> {
  const runtimeRole = `switchboard_${testService}`;
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  try {
    for (const [role, kind] of [
      [runtimeRole, `login password ${client.escapeLiteral(password(runtimeRole))}`],
      [`${runtimeRole}_system`, 'nologin'],
    ]) {
      await client.query(`do $$ begin create role ${role} noinherit ${kind}; exception when duplicate_object or unique_violation then null; end $$`);
    }
    await client.query(`
      do $$ begin grant ${runtimeRole}_system to ${runtimeRole}; exception when others then null; end $$;
      create schema ${testService};
      create table ${testService}.effects (seq bigint generated always as identity, tenant_id text not null, run text not null, key text not null, n integer not null, by text not null);
      grant usage on schema ${testService} to ${runtimeRole};
      grant select, insert on ${testService}.effects to ${runtimeRole};`);
  } finally {
    await client.end();
  }
  await installBus({ adminUrl, driver, services: [{ schema: testService }], rolePassword: password });
  return { runtimeRole, busRole: driver === 'embedded' ? 'switchboard_bus' : `switchboard_${testService}_bus` };
}

export type OpenBus = { readonly bus: EventBus; readonly unitOfWork: UnitOfWork; close(): Promise<void> };

const silent: BusLog = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Short waits, few tries: tests wait for real. */
export const testRetry: RetryPolicy = { attemptsMax: 4, delayMs: (attempt) => 30 * attempt };

export function openBus(place: BusPlace, options: { retry?: RetryPolicy; limits?: BusLimits; log?: BusLog } = {}): OpenBus {
  const unitOfWork = createPgUnitOfWork(place.databaseUrl);
  const bus = createEventBus({ ...place, unitOfWork, log: options.log ?? silent, retry: options.retry ?? testRetry, limits: options.limits });
  let closed: Promise<void> | undefined;
  return { bus, unitOfWork, close: () => (closed ??= bus.stop().then(() => unitOfWork.close())) };
}

/** What the tests' events say: which test they are of, their key and their number in it. */
export type TestNote = { readonly run: string; readonly key: string; readonly n: number };

/** The events are `conversation.changed`, which carries a free text; the note travels in it. */
export function noteOf(event: Envelope): TestNote {
  // The casts are safe: the tests publish nothing else.
  return JSON.parse((event as Envelope<'conversation.changed'>).payload.reason) as TestNote;
}

export function publishNote(bus: EventBus, tenantId: TenantId, note: TestNote, eventId = newId('evt')): Promise<string> {
  return runAsTenant(tenantId, () =>
    bus.publish('conversation.changed', { conversationId: newId('cnv'), status: 'open', handler: 'none', reason: JSON.stringify(note) }, { orderingKey: `${note.run}:${note.key}`, eventId }),
  );
}

/** An effect that can be counted afterwards; joins the handler's transaction. */
export async function storeEffect(unitOfWork: UnitOfWork, event: Envelope, by: string): Promise<void> {
  const { run, key, n } = noteOf(event);
  await unitOfWork.sql.query(`insert into ${testService}.effects (tenant_id, run, key, n, by) values ($1, $2, $3, $4, $5)`, [event.tenantId, run, key, n, by]);
}

export type Effect = { readonly tenant_id: string; readonly key: string; readonly n: number; readonly by: string };

export async function loadEffects(adminUrl: string, run: string): Promise<Effect[]> {
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  try {
    return (await client.query<Effect>(`select tenant_id, key, n, by from ${testService}.effects where run = $1 order by seq`, [run])).rows;
  } finally {
    await client.end();
  }
}

/** The embedded driver's broker is Postgres: as at its restart, all connections end at once. */
export async function cutConnections(adminUrl: string): Promise<void> {
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()');
  } finally {
    await client.end();
  }
}
