import { AsyncLocalStorage } from 'node:async_hooks';
import { hubError, isHubError, tenantIdPattern } from '@switchboard/contracts';
import { currentScope, peekScope, type Scope } from '@switchboard/tenant-context';
import { Pool, type PoolClient, type QueryResult, escapeIdentifier } from 'pg';
import { connectionAdapter } from './connection-adapter.ts';
import type { Database, DatabaseOptions } from './port.ts';
import { sendBatch, type Statement } from './statement-batch.ts';
import { createStatementNames } from './statement-names.ts';
import { asStorageError, isUnanswered } from './storage-error.ts';

/**
 * A service's database. The open transaction travels with the asynchronous call chain, so that stores, the bus and Prisma find it without being
 * handed it. BEGIN and its tenant go with the first statement, enqueued statements with the next one or with COMMIT: a transaction of one
 * query costs two round trips, one that only enqueues costs one. Statements are prepared once a connection. Measured on 2 busy cores with the
 * server beside it, p50 of a transaction with one look-up: 0.12 ms by sql (0.06 ms is a bare `select 1`), 0.3 ms by Prisma's findMany or findFirst,
 * 2 ms by findUnique, whose plan Prisma 7.10 compiles anew each time. The first use of Prisma on a connection takes 20 ms and 2 MB.
 */
export function createDatabase<Client>(options: DatabaseOptions<Client>): Database<Client> {
  const open = new AsyncLocalStorage<OpenTransaction>();
  const connections = new WeakMap<PoolClient, Connection<Client>>();
  const statementName = createStatementNames();
  const role = decodeURIComponent(new URL(options.url).username);
  const systemRole = options.systemRole ?? `${role}_system`;
  const pool = new Pool({
    connectionString: options.url,
    max: options.connectionsMax,
    application_name: role,
    // A store that does not answer must not hang its caller: 5 s for a connection, 30 s for a statement, a minute for a transaction that went quiet.
    // The server keeps the last two; one that vanished keeps nothing, and TCP alone would wait for hours, so our own clock ends a statement as well.
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 60_000,
    query_timeout: options.answerMsMax ?? 35_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    options: `-c search_path=${options.schema} -c statement_timeout=30s -c idle_in_transaction_session_timeout=60s`,
  });
  // A connection that dies while idle is replaced by the pool; one that dies in use rejects its query. Neither may end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));

  function connectionOf(client: PoolClient): Connection<Client> {
    const known = connections.get(client);
    if (known !== undefined) return known;
    const connection: Connection<Client> = { client, current: undefined, prisma: undefined };
    connections.set(client, connection);
    return connection;
  }

  async function connect(): Promise<Connection<Client>> {
    let client: PoolClient;
    try {
      client = await pool.connect();
    } catch (error) {
      throw asStorageError(error) ?? error;
    }
    return connectionOf(client);
  }

  async function run<T>(scope: Scope, fn: () => Promise<T>): Promise<T> {
    const admitted = scope.kind === 'tenant' ? options.admit?.(scope.tenantId) : undefined;
    if (admitted !== undefined) await admitted;
    const connection = await connect();
    const transaction: OpenTransaction = { scope, connection, opening: opening(scope, systemRole), enqueued: [], committed: [], failure: undefined };
    connection.current = transaction;
    let value: T;
    try {
      // Awaited inside: a Prisma call starts when it is awaited, and must find the transaction then.
      value = await open.run(transaction, async () => await fn());
    } catch (error) {
      await rollBack(transaction);
      throw isHubError(error) ? error : (asStorageError(transaction.failure) ?? asStorageError(error) ?? error);
    }
    await commit(transaction);
    return value;
  }

  function require(): OpenTransaction {
    const transaction = open.getStore();
    if (transaction === undefined) throw hubError('internal', { detail: { reason: 'The database was used outside db.transaction().' } });
    assertUsable(transaction);
    return transaction;
  }

  return {
    async transaction(fn) {
      const scope = currentScope();
      const outer = open.getStore();
      // A transaction that has ended may linger in the context of work it started without waiting for; that work gets one of its own.
      if (outer !== undefined && outer.connection.current === outer) {
        assertScope(outer, scope);
        return await fn();
      }
      return await run(scope, fn);
    },
    sql: {
      async query<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
        const transaction = require();
        const results = await sendDue(transaction, { text, values, name: statementName(text) });
        // The cast is the caller's word on its own statement.
        return (results.at(-1)?.rows ?? []) as Row[];
      },
      enqueue(text: string, values: readonly unknown[] = []): void {
        require().enqueued.push({ text, values, name: statementName(text) });
      },
    },
    afterCommit(fn) {
      require().committed.push(fn);
    },
    get prisma() {
      // The cast is safe: every connection in this pool was made above with a client of this type.
      const connection = require().connection as Connection<Client>;
      connection.prisma ??= options.createClient(
        connectionAdapter(
          async (config) => {
            // Prisma collects calls of one tick and may run them later; what arrives here must still belong to this connection's transaction.
            const transaction = require();
            if (transaction.connection !== connection) throw hubError('internal', { detail: { reason: 'A Prisma client was used outside its transaction.' } });
            if (isDue(transaction)) await sendDue(transaction);
            return guarded(transaction, connection.client.query(config));
          },
          options.schema,
          statementName,
        ),
      );
      return connection.prisma;
    },
    async unhealthy() {
      try {
        await pool.query('select 1');
        return undefined;
      } catch (error) {
        return `The database does not answer: ${(error as { code?: string }).code ?? (error as Error).message}`;
      }
    },
    async close() {
      await pool.end();
    },
  };
}

type Connection<Client> = {
  readonly client: PoolClient;
  current: OpenTransaction | undefined;
  /** Made at first use: a service that speaks SQL pays nothing for Prisma. */
  prisma: Client | undefined;
};

type OpenTransaction = {
  readonly scope: Scope;
  readonly connection: Connection<unknown>;
  /** What opens it; empty once that was sent. */
  opening: readonly Statement[];
  /** What goes with the next statement or the commit, in this order. */
  enqueued: Statement[];
  /** Called after the commit. */
  readonly committed: (() => void)[];
  /** The first error of a statement. Postgres refuses all that follow it, so it is the reason even when the caller swallowed it. */
  failure: unknown;
};

/** Statements that open a transaction in its scope. */
function opening(scope: Scope, systemRole: string): Statement[] {
  if (scope.kind === 'system') return [begin, { text: `set local role ${escapeIdentifier(systemRole)}`, values: [], name: 'system_scope' }];
  // Branded and parsed at the door; checked again because row-level security stands on it.
  if (!tenantIdPattern.test(scope.tenantId)) throw hubError('internal', { detail: { reason: 'The tenant id is not well-formed.' } });
  return [begin, { text: "select set_config('app.tenant_id', $1, true)", values: [scope.tenantId], name: 'tenant_scope' }];
}

const begin: Statement = { text: 'begin', values: [], name: 'begin' };
const end: Statement = { text: 'commit', values: [], name: 'commit' };

function isDue({ opening, enqueued }: OpenTransaction): boolean {
  return opening.length > 0 || enqueued.length > 0;
}

/** Sends what is due, and then `last`. */
function sendDue(transaction: OpenTransaction, last?: Statement): Promise<QueryResult[]> {
  const statements = [...transaction.opening, ...transaction.enqueued, ...(last === undefined ? [] : [last])];
  transaction.opening = [];
  transaction.enqueued = [];
  return guarded(transaction, sendBatch(transaction.connection.client, statements));
}

/** Remembers the first failure of a transaction's statements. */
async function guarded<T>(transaction: OpenTransaction, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    transaction.failure ??= error;
    throw asStorageError(error) ?? error;
  }
}

function assertUsable(transaction: OpenTransaction): void {
  if (transaction.connection.current !== transaction) throw hubError('internal', { detail: { reason: 'The transaction has ended; work that goes on after it was not awaited.' } });
  assertScope(transaction, peekScope());
}

function assertScope(transaction: OpenTransaction, scope: Scope | undefined): void {
  const { scope: own } = transaction;
  if (scope !== undefined && own.kind === scope.kind && (own.kind === 'system' || (scope.kind === 'tenant' && own.tenantId === scope.tenantId))) return;
  throw hubError('internal', { detail: { reason: 'A transaction stays in the scope it was opened in; end it before entering another tenant or system scope.', open: own, asked: scope ?? null } });
}

async function commit(transaction: OpenTransaction): Promise<void> {
  const { connection, failure } = transaction;
  // Nothing was asked and nothing enqueued: the server knows of no transaction.
  const isEmpty = transaction.opening.length > 0 && transaction.enqueued.length === 0;
  connection.current = undefined;
  if (isEmpty) return connection.client.release();
  let command: string | undefined;
  try {
    command = (await sendDue(transaction, end)).at(-1)?.command;
  } catch (error) {
    await rollBack(transaction);
    // Its answer may be all that was lost of it.
    if (asStorageError(error) !== undefined) for (const call of transaction.committed) call();
    throw failure === undefined ? error : swallowed(failure);
  }
  connection.client.release();
  // Postgres answers COMMIT of a failed transaction with ROLLBACK and no error: whoever swallowed the failure would believe it was stored.
  if (command !== 'COMMIT') throw swallowed(failure);
  for (const call of transaction.committed) call();
}

function swallowed(failure: unknown): unknown {
  return asStorageError(failure) ?? hubError('internal', { cause: failure, detail: { reason: 'A statement failed and its error was swallowed, so nothing was stored.' } });
}

async function rollBack(transaction: OpenTransaction): Promise<void> {
  const { connection } = transaction;
  connection.current = undefined;
  if (transaction.opening.length > 0) return connection.client.release();
  // It would wait behind the statement that got no answer, for as long again.
  if (isUnanswered(transaction.failure)) return connection.client.release(true);
  try {
    await connection.client.query('rollback');
    connection.client.release();
  } catch {
    connection.client.release(true);
  }
}
