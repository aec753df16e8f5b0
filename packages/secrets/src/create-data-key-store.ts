import { hubError } from '@switchboard/contracts';
import type { DataKeyStore, WrappedDataKey } from './port.ts';

/** The service's database, as far as the keys need it; `Database` of the db package fits. */
export interface DataKeyDatabase {
  /** Joins the transaction that is open around the caller. */
  transaction<T>(fn: () => Promise<T>): Promise<T>;
  readonly sql: { query<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]> };
}

/**
 * The table of wrapped data keys of the service, in the current tenant's scope. A service that seals secrets copies this model:
 *
 *     model TenantKey {
 *       tenantId  String   @id @map("tenant_id")
 *       dataKeyId String   @map("data_key_id")
 *       keyId     String   @map("key_id")
 *       wrapped   Bytes
 *       createdAt DateTime @default(now()) @map("created_at") @db.Timestamptz(6)
 *
 *       @@map("tenant_keys")
 *     }
 *
 * and this SQL into its migration (the schema's own name instead of `<schema>`):
 *
 *     CREATE TABLE "tenant_keys" (
 *         "tenant_id" TEXT NOT NULL,
 *         "data_key_id" TEXT NOT NULL,
 *         "key_id" TEXT NOT NULL,
 *         "wrapped" BYTEA NOT NULL,
 *         "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
 *
 *         CONSTRAINT "tenant_keys_pkey" PRIMARY KEY ("tenant_id")
 *     );
 *     select switchboard.protect_tenant_table('<schema>.tenant_keys');
 */
export function createDataKeyStore(db: DataKeyDatabase): DataKeyStore {
  // A row made by this very transaction has its time stamp: it may roll back, and must not be kept in memory.
  const columns = 'data_key_id as "dataKeyId", key_id as "keyId", wrapped, created_at = current_timestamp as unsettled';
  const find = () => db.transaction(() => db.sql.query<WrappedDataKey>(`select ${columns} from tenant_keys`));

  return {
    find,
    insert: (key) =>
      db.transaction(async () => {
        await db.sql.query(
          `insert into tenant_keys (tenant_id, data_key_id, key_id, wrapped) values (current_setting('app.tenant_id'), $1, $2, $3)
           on conflict (tenant_id) do nothing`,
          [key.dataKeyId, key.keyId, key.wrapped],
        );
        const [stored] = await find();
        if (stored === undefined) throw hubError('secret.unreadable', { detail: { reason: 'the data key vanished while it was made' } });
        return stored;
      }),
    replace: (key, fromKeyId) =>
      db.transaction(async () => {
        const rows = await db.sql.query('update tenant_keys set key_id = $2, wrapped = $3 where data_key_id = $1 and key_id = $4 returning data_key_id', [key.dataKeyId, key.keyId, key.wrapped, fromKeyId]);
        return rows.length > 0;
      }),
    destroy: () =>
      db.transaction(async () => {
        await db.sql.query('delete from tenant_keys');
      }),
  };
}
