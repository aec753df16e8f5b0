import { Client } from 'pg';
import { StartRefusal } from '../../packages/service-kit/src/index.ts';

/** The old database, read in one snapshot: what changes there meanwhile comes with the next run. */
export interface OldDatabase {
  /** Columns of a table; undefined where there is no such table. */
  columnsOf(table: string): ReadonlySet<string> | undefined;
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** The rows of a query in portions; one at a time. */
  stream<Row extends object>(text: string, values: readonly unknown[], size: number): AsyncGenerator<Row[]>;
  close(): Promise<void>;
}

/** Opens the old database for reading alone. Throws StartRefusal when it does not answer. */
export async function openOldDatabase(url: string): Promise<OldDatabase> {
  const client = new Client({
    connectionString: url,
    application_name: 'switchboard migrate:single-tenant',
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    // Its times without a zone were written by containers, which run in UTC. Whole result sets are read: plan for all of them, not for the first rows.
    options: '-c timezone=UTC -c default_transaction_read_only=on -c statement_timeout=0 -c idle_in_transaction_session_timeout=0 -c cursor_tuple_fraction=1',
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (cause) {
    await client.end().catch(() => undefined);
    throw new StartRefusal(`The old database (--from) does not answer: ${(cause as Error).message}.`, { cause }); // pg throws Errors
  }
  await client.query('begin isolation level repeatable read read only');
  const { rows } = await client.query<{ table_name: string; column_name: string }>(
    'select table_name, column_name from information_schema.columns where table_schema = current_schema()',
  );
  const tables = new Map<string, Set<string>>();
  for (const { table_name: table, column_name: column } of rows) tables.set(table, (tables.get(table) ?? new Set()).add(column));

  return {
    columnsOf: (table) => tables.get(table),
    async query<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
      return (await client.query<Row>(text, [...values])).rows;
    },
    async *stream<Row extends object>(text: string, values: readonly unknown[], size: number): AsyncGenerator<Row[]> {
      await client.query(`declare old_rows no scroll cursor for ${text}`, [...values]);
      try {
        for (;;) {
          const portion = (await client.query<Row>(`fetch ${size} from old_rows`)).rows;
          if (portion.length === 0) return;
          yield portion;
        }
      } finally {
        await client.query('close old_rows').catch(() => undefined);
      }
    },
    close: () => client.end(),
  };
}
