import type { Database } from '@switchboard/db';
import { createPlatformSeal, type KeyProvider } from '@switchboard/secrets';
import { runAsSystem } from '@switchboard/tenant-context';

type Row = { readonly kid: string; readonly keyId: string; readonly wrapped: Buffer };

/**
 * Wraps the private parts of auth-service's signing keys anew, which belong to no tenant. auth-service does so by the clock as well; here it is done
 * when the command ends. `onFailed` is told of those that cannot be unwrapped.
 */
export async function rotateSigningKeys(db: Database<unknown>, keyProvider: KeyProvider, currentKeyId: string, onFailed: (kid: string, error: unknown) => void): Promise<number> {
  const seal = createPlatformSeal(keyProvider);
  const inSystem = <T>(fn: () => Promise<T>): Promise<T> => runAsSystem('keys that sign belong to the platform', () => db.transaction(fn));
  const rows = await inSystem(() => db.sql.query<Row>('select kid, wrapped_by as "keyId", wrapped from signing_keys where wrapped is not null and wrapped_by <> $1', [currentKeyId]));
  let rewrapped = 0;
  for (const { kid, keyId, wrapped } of rows) {
    // The place that auth-service seals them for.
    const place = { table: 'signing_keys', column: 'wrapped', row: kid };
    try {
      const again = await seal.seal(await seal.open({ keyId, wrapped }, place), place);
      const changed = await inSystem(() => db.sql.query('update signing_keys set wrapped_by = $2, wrapped = $3 where kid = $1 and wrapped_by = $4 returning kid', [kid, again.keyId, again.wrapped, keyId]));
      rewrapped += changed.length;
    } catch (error) {
      onFailed(kid, error);
    }
  }
  return rewrapped;
}
