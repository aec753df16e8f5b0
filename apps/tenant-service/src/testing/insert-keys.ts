import type { TenantId } from '@switchboard/contracts';
import pg from 'pg';

/** Puts keys without bounds into the table, past the API: no text opens them. */
export async function insertKeys(adminUrl: string, tenantId: TenantId, keyIds: readonly string[]): Promise<void> {
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  try {
    await admin.query("insert into tenant.api_keys (tenant_id, key_id, hash, scopes) select $1, key_id, key_id, '{}' from unnest($2::text[]) as key_id", [tenantId, keyIds]);
  } finally {
    await admin.end();
  }
}
