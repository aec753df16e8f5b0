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
  /** Whether several processes of a group work side by side. Embedded: one leads, the others wait to take over. */
  readonly worksSideBySide: boolean;
  /** Partitions (Kafka) or lanes (embedded) of the group with events that would come again if its processes were killed now. */
  readonly countUncommitted: (group: string) => Promise<number>;
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

/** `afterCommit` runs instead of what the bus does right after it has published. */
export function openBus(place: BusPlace, options: { retry?: RetryPolicy; limits?: BusLimits; log?: BusLog; afterCommit?: () => void } = {}): OpenBus {
  const { afterCommit } = options;
  const pgUnitOfWork = createPgUnitOfWork(place.databaseUrl);
  const unitOfWork = afterCommit === undefined ? pgUnitOfWork : { ...pgUnitOfWork, afterCommit: () => pgUnitOfWork.afterCommit(afterCommit) };
  const bus = createEventBus({ ...place, unitOfWork, log: options.log ?? silent, retry: options.retry ?? testRetry, limits: options.limits });
  let closed: Promise<void> | undefined;
  return { bus, unitOfWork, close: () => (closed ??= bus.stop().then(() => unitOfWork.close())) };
}

/** What the tests' events say: which test they are of, their key and their number in it. */
export type TestNote = { readonly run: string; readonly key: string; readonly n: number };

/** Both carry a free text, in which the note travels. Of the first a tenant has one partition, of the second four: so many that each of two processes gets some. */
export type NoteType = 'conversation.changed' | 'webhook.received.whatsapp';

export function noteOf(event: Envelope): TestNote {
  // The casts are safe: the tests publish nothing else.
  const { payload } = event as Envelope<'conversation.changed'> | Envelope<'webhook.received.whatsapp'>;
  return JSON.parse('body' in payload ? payload.body : payload.reason) as TestNote;
}

export function publishNote(bus: EventBus, tenantId: TenantId, note: TestNote, eventId = newId('evt'), type: NoteType = 'conversation.changed'): Promise<string> {
  const text = JSON.stringify(note);
  const options = { orderingKey: `${note.run}:${note.key}`, eventId };
  return runAsTenant(tenantId, () =>
    type === 'conversation.changed'
      ? bus.publish(type, { conversationId: newId('cnv'), status: 'open', handler: 'none', reason: text }, options)
      : bus.publish(type, { webhookId: newId('whk'), connectionId: newId('con'), receivedAt: '2026-11-21T12:00:00.000Z', body: text }, options),
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

/** Lanes of the group in which something is left to do. */
export async function countPendingLanes(adminUrl: string, group: string): Promise<number> {
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const { rows: [row] } = await client.query<{ lanes: number }>('select count(distinct (tenant_id, ordering_key))::int as lanes from bus.pending_events where consumer_group = $1', [group]);
    return row?.lanes ?? 0;
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
