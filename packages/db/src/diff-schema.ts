import { readFileSync } from 'node:fs';
import { directoryUrl } from './migrate.ts';
import type { ServiceSchema } from './port.ts';
import { everything, withSchemaEngine } from './schema-engine.ts';
import { serviceRoles } from './service-roles.ts';

/** The SQL that would lead from the migrated database to `schema.prisma`; undefined when they agree. */
export async function diffSchema(adminUrl: string, service: ServiceSchema): Promise<string | undefined> {
  const files = [{ path: 'schema.prisma', content: readFileSync(new URL('schema.prisma', directoryUrl(service.prismaDirectory)), 'utf8') }];
  // The engine insists on `shadowDatabaseUrl`, which its published type does not know.
  const params = { from: { tag: 'schemaDatasource', files, configDir: '' }, to: { tag: 'schemaDatamodel', files }, script: true, exitCode: null, filters: everything, shadowDatabaseUrl: null } as const;
  const connection = { url: adminUrl, schema: service.schema, role: serviceRoles(service).owner };
  const { stdout } = await withSchemaEngine(connection, (engine) => engine.diff({ ...params, from: { ...params.from, files: [...files] }, to: { ...params.to, files: [...files] } }));
  const sql = stdout?.trim() ?? '';
  return sql === '' || sql === '-- This is an empty migration.' ? undefined : sql;
}
