import { hubError } from '@switchboard/contracts';
import { currentTenant } from '@switchboard/tenant-context';
import type { Database } from './port.ts';

/** Rows of one transaction: some hundredths of a second, far from the limit on statements, however many there are. */
const batchMax = 2_000;

type Table = { readonly name: string; readonly isDeletable: boolean; readonly children: readonly string[] };

/**
 * Deletes every row of the current tenant in the service's own schema, whatever tables it has: the catalogue says which. In batches of one
 * transaction each, children before what they refer to. `note` is called inside each with what it deletes. May break off and be called again.
 * Throws when a table that the service may not delete from still holds rows of the tenant.
 */
export async function eraseTenantRows(db: Pick<Database<unknown>, 'transaction' | 'sql'>, note: (count: Readonly<Record<string, number>>) => void = () => undefined): Promise<void> {
  const tables = childrenFirst(await db.transaction(() => db.sql.query<Table>(tablesQuery)));
  // Until a whole round finds nothing: whatever came beside it goes as well.
  for (let removed = 1; removed > 0; ) {
    removed = 0;
    for (const table of tables) removed += table.isDeletable ? await eraseFrom(db, table.name, note) : 0;
  }
  for (const { name, isDeletable } of tables) {
    if (isDeletable) continue;
    const rows = await db.transaction(() => db.sql.query(`select from "${name}" where tenant_id = $1 limit 1`, [currentTenant()]));
    if (rows.length > 0) throw hubError('internal', { detail: { reason: 'rows of an erased tenant are left in a table that the service cannot delete from', table: name } });
  }
}

async function eraseFrom(db: Pick<Database<unknown>, 'transaction' | 'sql'>, table: string, note: (count: Readonly<Record<string, number>>) => void): Promise<number> {
  let total = 0;
  for (let removed = batchMax; removed === batchMax; total += removed) {
    removed = await db.transaction(async () => {
      // The names are the catalogue's own, of the schema in the search path.
      const rows = await db.sql.query(`delete from "${table}" where tenant_id = $1 and ctid = any(array(select ctid from "${table}" where tenant_id = $1 limit ${batchMax})) returning 1`, [currentTenant()]);
      if (rows.length > 0) note({ [table]: rows.length });
      return rows.length;
    });
  }
  return total;
}

function childrenFirst(tables: readonly Table[]): readonly Table[] {
  const ordered: Table[] = [];
  const visit = (table: Table, path: readonly string[]): void => {
    if (ordered.includes(table)) return;
    for (const child of tables) if (table.children.includes(child.name) && !path.includes(child.name)) visit(child, [...path, table.name]);
    ordered.push(table);
  };
  for (const table of tables) visit(table, []);
  return ordered;
}

const tablesQuery = `
  select c.relname as name, has_table_privilege(c.oid, 'delete') as "isDeletable",
         coalesce((select array_agg(distinct child.relname::text) from pg_constraint f join pg_class child on child.oid = f.conrelid
                    where f.confrelid = c.oid and f.contype = 'f' and f.conrelid <> c.oid), '{}') as children
    from pg_class c
   where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
     and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped)
   order by c.relname`;
