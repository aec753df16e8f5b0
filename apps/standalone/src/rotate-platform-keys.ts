import type { Database } from '@switchboard/db';
import { createPlatformSeal, type KeyProvider } from '@switchboard/secrets';
import { runAsSystem } from '@switchboard/tenant-context';

type Row = { readonly id: string; readonly keyId: string; readonly wrapped: Buffer };

/** Where secrets of the platform lie: the table, the column with a row's id, and the place that its service seals them for. */
const kept = [
  { table: 'signing_keys', id: 'kid', place: { table: 'signing_keys', column: 'wrapped' } },
  { table: 'platform_issuers', id: 'issuer_id', place: { table: 'issuers', column: 'sealed_secret' } },
  { table: 'staff_second_factors', id: 'member_id', place: { table: 'second_factors', column: 'sealed_secret' } },
  { table: 'platform_connections', id: 'platform_connection_id', place: { table: 'platform_connections', column: 'sealed_secret' } },
  { table: 'platform_webhook_secrets', id: 'secret_id', place: { table: 'platform_webhook_secrets', column: 'sealed_secret' } },
] as const;

/**
 * Wraps anew what a service seals for the platform and for no tenant: keys that sign, secrets of issuers, second factors of staff. `tables` are those of
 * the service that have a column `wrapped_by`; throws for one that is not known here, since its secrets would be lost with the old key. `onFailed` is told
 * of those that cannot be unwrapped.
 */
export async function rotatePlatformKeys(db: Database<unknown>, tables: readonly string[], keyProvider: KeyProvider, currentKeyId: string, onFailed: (of: string, error: unknown) => void): Promise<number> {
  const seal = createPlatformSeal(keyProvider);
  const inSystem = <T>(fn: () => Promise<T>): Promise<T> => runAsSystem('secrets of the platform belong to no tenant', () => db.transaction(fn));
  let rewrapped = 0;
  for (const name of tables) {
    const known = kept.find(({ table }) => table === name);
    if (known === undefined) throw new Error(`The table ${name} has secrets of the platform that this command does not know: leave the previous key where it is.`);
    const { table, id } = known;
    const rows = await inSystem(() => db.sql.query<Row>(`select ${id} as id, wrapped_by as "keyId", wrapped from ${table} where wrapped is not null and wrapped_by <> $1`, [currentKeyId]));
    for (const row of rows) {
      const place = { ...known.place, row: row.id };
      try {
        const again = await seal.seal(await seal.open({ keyId: row.keyId, wrapped: row.wrapped }, place), place);
        // Where the secret itself was replaced meanwhile, its key is another one.
        const changed = await inSystem(() => db.sql.query(`update ${table} set wrapped_by = $2, wrapped = $3 where ${id} = $1 and wrapped = $4 returning 1`, [row.id, again.keyId, again.wrapped, row.wrapped]));
        rewrapped += changed.length;
      } catch (error) {
        onFailed(`${table} ${row.id}`, error);
      }
    }
  }
  return rewrapped;
}
