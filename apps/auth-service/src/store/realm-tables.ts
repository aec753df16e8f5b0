import { currentScope } from '@switchboard/tenant-context';
import type { AuthDatabase } from './client.ts';

/** Tables that tenants and the platform have one each of: the platform's lack the tenant, and are seen in system scope alone. */
const tables = {
  tenant: { people: 'members', sessions: 'sessions', oneTimeTokens: 'one_time_tokens', issuers: 'issuers', secondFactors: 'second_factors' },
  system: { people: 'staff', sessions: 'staff_sessions', oneTimeTokens: 'staff_one_time_tokens', issuers: 'platform_issuers', secondFactors: 'staff_second_factors' },
} as const;

/** Those of the current realm. */
export function realmTables(): (typeof tables)['tenant' | 'system'] {
  return tables[currentScope().kind];
}

/** Inserts a row into a table of the current realm. False when another row has a key of it already. Column names are the store's own. */
export async function insertRow(db: AuthDatabase, table: string, row: Readonly<Record<string, unknown>>): Promise<boolean> {
  const scope = currentScope();
  const full: Readonly<Record<string, unknown>> = scope.kind === 'tenant' ? { tenant_id: scope.tenantId, ...row } : row;
  const columns = Object.keys(full);
  const rows = await db.sql.query(
    `insert into ${table} (${columns.join(', ')}) values (${columns.map((_, index) => `$${index + 1}`).join(', ')}) on conflict do nothing returning 1`,
    Object.values(full),
  );
  return rows.length > 0;
}
