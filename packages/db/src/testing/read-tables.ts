import type { Client } from 'pg';

export type Column = { readonly name: string; readonly type: string; readonly isRequired: boolean; readonly enumValues: readonly string[] };

export type Table = {
  readonly name: string;
  readonly rowSecurity: boolean;
  readonly forced: boolean;
  readonly owner: string;
  readonly columns: readonly Column[];
  readonly policies: readonly { readonly roles: readonly string[]; readonly using: string; readonly check: string }[];
  readonly uniques: readonly { readonly name: string; readonly columns: readonly string[] }[];
  readonly references: readonly { readonly name: string; readonly columns: readonly string[]; readonly table: string }[];
};

/** Every table of a schema with what guards it; Prisma's own list of migrations left out. */
export async function readTables(admin: Client, schema: string): Promise<Table[]> {
  const { rows } = await admin.query<Table>(query, [schema]);
  return rows;
}

/** True when the table holds rows of tenants. */
export function isTenantTable(table: Table): boolean {
  return table.columns[0]?.name === 'tenant_id';
}

const query = `
select
  c.relname as name, c.relrowsecurity as "rowSecurity", c.relforcerowsecurity as forced, pg_get_userbyid(c.relowner) as owner,
  (select coalesce(json_agg(json_build_object(
      'name', a.attname,
      'type', format_type(a.atttypid, null),
      -- What an insert must give: no default, no identity, not null.
      'isRequired', a.attnotnull and not a.atthasdef and a.attidentity = '',
      'enumValues', (select coalesce(json_agg(e.enumlabel order by e.enumsortorder), '[]') from pg_enum e where e.enumtypid = a.atttypid)) order by a.attnum), '[]')
    from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
  (select coalesce(json_agg(json_build_object(
      'roles', (select json_agg(case when r = 0 then 'public' else pg_get_userbyid(r) end) from unnest(p.polroles) r),
      'using', coalesce(pg_get_expr(p.polqual, p.polrelid), ''),
      'check', coalesce(pg_get_expr(p.polwithcheck, p.polrelid), ''))), '[]')
    from pg_policy p where p.polrelid = c.oid) as policies,
  (select coalesce(json_agg(json_build_object(
      'name', i.indexrelid::regclass::text,
      'columns', (select json_agg(pg_get_indexdef(i.indexrelid, k, true) order by k) from generate_series(1, i.indnkeyatts) k))), '[]')
    from pg_index i where i.indrelid = c.oid and i.indisunique) as uniques,
  (select coalesce(json_agg(json_build_object(
      'name', f.conname,
      'columns', (select json_agg(a.attname order by k.position) from unnest(f.conkey) with ordinality k(attnum, position)
        join pg_attribute a on a.attrelid = f.conrelid and a.attnum = k.attnum),
      'table', (select t.relname from pg_class t where t.oid = f.confrelid))), '[]')
    from pg_constraint f where f.conrelid = c.oid and f.contype = 'f' and f.conparentid = 0) as "references"
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = $1 and c.relkind in ('r', 'p') and c.relname <> '_prisma_migrations'
order by c.relname`;
