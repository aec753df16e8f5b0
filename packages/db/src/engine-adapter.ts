import { PrismaPg } from '@prisma/adapter-pg';
import { ColumnTypeEnum, type SqlDriverAdapter, type SqlMigrationAwareDriverAdapterFactory } from '@prisma/driver-adapter-utils';
import type { Pool, QueryArrayConfig, QueryArrayResult } from 'pg';

/**
 * @prisma/adapter-pg 7.10 for the schema engine, with two things put right: it cuts a migration at every semicolon, also within a function's body
 * or a string; and it refuses "char", the type of one-letter columns in the system catalogue, without which the engine cannot read a database.
 */
export function engineAdapter(pool: Pool, schema: string): SqlMigrationAwareDriverAdapterFactory {
  const charColumns = new Map<string, number[]>();
  const query = pool.query.bind(pool);
  // The cast is safe: the adapter calls `query(config)` with rows as arrays, of the many forms that pg offers.
  pool.query = (async (config: QueryArrayConfig): Promise<QueryArrayResult> => {
    const result = await query(config);
    charColumns.set(config.text, indexesOf(result.fields, (field) => field.dataTypeID === charType));
    for (const field of result.fields) if (field.dataTypeID === charType) field.dataTypeID = textType;
    return result;
  }) as unknown as Pool['query'];

  const prismaPg = new PrismaPg(pool, { schema });
  return {
    provider: prismaPg.provider,
    adapterName: prismaPg.adapterName,
    connectToShadowDb: () => Promise.reject(new Error('There is no shadow database: migrations are made from two schema files.')),
    async connect(): Promise<SqlDriverAdapter> {
      const adapter: SqlDriverAdapter = await prismaPg.connect();
      const queryRaw = adapter.queryRaw.bind(adapter);
      return Object.assign(adapter, {
        async queryRaw(asked: Parameters<SqlDriverAdapter['queryRaw']>[0]) {
          const result = await queryRaw(asked);
          for (const index of charColumns.get(asked.sql) ?? []) result.columnTypes[index] = ColumnTypeEnum.Character;
          return result;
        },
        async executeScript(script: string) {
          // One simple query is one transaction: a migration is applied as a whole or not at all.
          await query(script);
        },
      } satisfies Pick<SqlDriverAdapter, 'queryRaw' | 'executeScript'>);
    },
  };
}

// https://github.com/postgres/postgres/blob/REL_18_STABLE/src/include/catalog/pg_type.dat
const charType = 18;
const textType = 25;

function indexesOf<T>(items: readonly T[], wanted: (item: T) => boolean): number[] {
  return items.flatMap((item, index) => (wanted(item) ? [index] : []));
}
