import { isPlausibleLegacyApiKey, type Scope } from '../../packages/contracts/src/index.ts';
import { hashApiKey } from '../../packages/secrets/src/index.ts';
import { currentTenant } from '../../packages/tenant-context/src/index.ts';
import { deriveId } from './derive-id.ts';
import { apiKeyColumns, findColumns, flagOf, textOf, timeOf } from './old-columns.ts';
import type { OldDatabase } from './open-old-database.ts';
import type { TenantStores } from './open-target.ts';
import type { Assignment } from './read-old-tenants.ts';
import type { Report } from './report.ts';

/** What an old key may do: what the old API had. */
const scopes: readonly Scope[] = ['state:read', 'state:write'];

type Row = { readonly apiKey: string | null; readonly name: string | null; readonly isActive: boolean; readonly expiresAt: Date | null; readonly lastUsedAt: Date | null; readonly createdAt: Date | null };

/** Keeps the hashes of the current tenant's old plain keys, so that they go on opening it. The keys themselves go nowhere. */
export async function importApiKeys(old: OldDatabase, stores: TenantStores, { from }: Assignment, dryRun: boolean, report: Report): Promise<void> {
  const columns = old.columnsOf('tenant_api_keys');
  if (columns === undefined) return;
  const found = findColumns(apiKeyColumns, columns);
  if (found.apiKey === undefined) return report.note('tenant_api_keys has no column api_key: hashes of another making cannot be taken over; make new keys.');
  const rows = await old.query<Row>(
    `select ${textOf('t', found.apiKey)} as "apiKey", ${textOf('t', found.name)} as name, ${flagOf('t', found.isActive)} as "isActive", ${timeOf('t', found.expiresAt)} as "expiresAt",
            ${timeOf('t', found.lastUsedAt)} as "lastUsedAt", ${timeOf('t', found.createdAt)} as "createdAt"
       from tenant_api_keys t ${found.tenantId === undefined ? 'where $1::text is null or true' : `where ${textOf('t', found.tenantId)} = $1`} order by 6, 2, 1`,
    [from],
  );
  report.count('apiKeys', 'read', rows.length);
  for (const [index, row] of rows.entries()) {
    const reason = faultOf(row, stores.now());
    // Named by place and name alone: the key is a secret.
    const skip = (why: string) => report.skip('apiKeys', { table: 'tenant_api_keys', row: `no. ${index + 1} of ${currentTenant()}${row.name === null ? '' : ` ("${row.name}")`}`, reason: why });
    if (reason !== undefined) skip(reason);
    else {
      const outcome = await importKey(stores, row, dryRun);
      if (outcome === 'taken') skip('another tenant has this key already');
      else report.count('apiKeys', outcome);
    }
  }
}

function faultOf({ apiKey, isActive, expiresAt }: Row, now: Date): string | undefined {
  if (!isActive) return 'is not active';
  if (expiresAt !== null && expiresAt <= now) return 'has expired';
  return apiKey === null || !isPlausibleLegacyApiKey(apiKey) ? 'cannot go on: it must be 16 to 256 printable characters without blanks. Make a new one' : undefined;
}

async function importKey({ db, bus, audit, config, now }: TenantStores, row: Row, dryRun: boolean): Promise<'imported' | 'alreadyThere' | 'taken'> {
  const hash = hashApiKey(config.apiKeyPepper, row.apiKey ?? '');
  const tenantId = currentTenant();
  const keyId = deriveId('key', row.createdAt ?? new Date(0), tenantId, hash);
  return await db.transaction(async () => {
    const known = await db.sql.query('select from api_keys where legacy_hash = $1', [hash]);
    if (known.length > 0) return 'alreadyThere';
    if (dryRun) return 'imported';
    const inserted = await db.sql.query(
      `insert into api_keys (tenant_id, key_id, hash, legacy_hash, scopes, created_at, expires_at, last_used_at) values ($1, $2, $3, $3, $4, $5, $6, $7) on conflict do nothing returning key_id`,
      [tenantId, keyId, hash, scopes, row.createdAt ?? now(), row.expiresAt, row.lastUsedAt],
    );
    if (inserted.length === 0) return 'taken';
    await audit.append({ actor: 'admin', action: 'api_key.created', subject: keyId, facts: { scopes, by: 'migrate:single-tenant' } });
    await bus.publish('api_key.changed', { keyId, status: 'active' }, { orderingKey: keyId });
    return 'imported';
  });
}
