import { PrismaPg } from '@prisma/adapter-pg';
import type { SqlDriverAdapter, SqlDriverAdapterFactory, SqlQuery, Transaction } from '@prisma/driver-adapter-utils';
import { Pool, type QueryArrayConfig, type QueryArrayResult } from 'pg';

/** The one connection a Prisma client may use. Throws when its transaction is not the caller's. */
export type ConnectionQuery = (config: QueryArrayConfig) => Promise<QueryArrayResult>;

/**
 * A Prisma adapter over one connection whose transaction is opened and ended elsewhere. What Prisma would do in a transaction of its own
 * (`$transaction`, nested writes) becomes a savepoint in it.
 */
export function connectionAdapter(query: ConnectionQuery, schema: string, statementName: (text: string) => string | undefined): SqlDriverAdapterFactory {
  const prismaPg = new PrismaPg(new ConnectionAsPool(query), {
    schema,
    // The cast is safe: an undefined name means an unnamed statement to pg.
    statementNameGenerator: ({ sql }) => statementName(sql) as string,
  });
  return { provider: prismaPg.provider, adapterName: prismaPg.adapterName, connect: async () => new SavepointAdapter(await prismaPg.connect(), schema) };
}

/** Stands where PrismaPg wants a pool, and hands every query to the one connection. */
class ConnectionAsPool extends Pool {
  constructor(query: ConnectionQuery) {
    super({ max: 1 });
    // The cast is safe: PrismaPg calls `query(config)` alone, of the many forms that pg offers.
    this.query = query as unknown as Pool['query'];
  }

  override connect(): never {
    throw new Error('A Prisma client bound to a connection opens no other.');
  }
}

class SavepointAdapter implements SqlDriverAdapter {
  readonly provider = 'postgres';
  readonly adapterName: string;
  readonly #inner: SqlDriverAdapter;
  readonly #schema: string;
  #savepoints = 0;

  constructor(inner: SqlDriverAdapter, schema: string) {
    this.#inner = inner;
    this.#schema = schema;
    this.adapterName = inner.adapterName;
  }

  queryRaw(query: SqlQuery): ReturnType<SqlDriverAdapter['queryRaw']> {
    return this.#inner.queryRaw(query);
  }

  executeRaw(query: SqlQuery): Promise<number> {
    return this.#inner.executeRaw(query);
  }

  executeScript(): Promise<void> {
    return Promise.reject(new Error('Scripts are for migrations.'));
  }

  getConnectionInfo(): { schemaName: string; supportsRelationJoins: boolean } {
    return { schemaName: this.#schema, supportsRelationJoins: true };
  }

  async startTransaction(): Promise<Transaction> {
    this.#savepoints += 1;
    const savepoint = `prisma_${this.#savepoints}`;
    await this.#run(`savepoint ${savepoint}`);
    return {
      provider: this.provider,
      adapterName: this.adapterName,
      // A phantom query is one that Prisma only logs: it must not send COMMIT or ROLLBACK, which would end the transaction around us.
      options: { usePhantomQuery: true },
      queryRaw: (query) => this.#inner.queryRaw(query),
      executeRaw: (query) => this.#inner.executeRaw(query),
      commit: () => this.#run(`release savepoint ${savepoint}`),
      rollback: () => this.#run(`rollback to savepoint ${savepoint}`),
      createSavepoint: (name) => this.#run(`savepoint ${name}`),
      rollbackToSavepoint: (name) => this.#run(`rollback to savepoint ${name}`),
      releaseSavepoint: (name) => this.#run(`release savepoint ${name}`),
    };
  }

  async dispose(): Promise<void> {
    await this.#inner.dispose();
  }

  async #run(sql: string): Promise<void> {
    await this.#inner.executeRaw({ sql, args: [], argTypes: [] });
  }
}
