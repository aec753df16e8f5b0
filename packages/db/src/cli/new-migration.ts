// Writes the next migration of a service: what leads from its migrations so far to its schema.prisma, with row-level security for new tables.
//   pnpm --filter @switchboard/db new-migration state-manager add_notes
// Read the file before you commit it: Prisma renames a column by dropping it, and only you know which tables belong to tenants.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { diffSchema } from '../diff-schema.ts';
import { startPostgres } from '../embedded/index.ts';
import { migrate } from '../migrate.ts';
import type { ServiceSchema } from '../port.ts';
import { provision } from '../provision.ts';
import { shortName } from '../short-name.ts';

const [app, name] = process.argv.slice(2);
const prismaDirectory = new URL(`../../../../apps/${app}/prisma/`, import.meta.url);
if (app === undefined || name === undefined || !/^[a-z0-9_]+$/.test(name) || !existsSync(prismaDirectory)) {
  console.error('Usage: new-migration <folder in apps> <name_in_snake_case>');
  process.exit(2);
}
mkdirSync(new URL('migrations/', prismaDirectory), { recursive: true });

const directory = mkdtempSync(join(tmpdir(), 'switchboard-migration-'));
const server = await startPostgres({ directory, durable: false });
try {
  // Migrations name their tables with the schema.
  const service: ServiceSchema = { service: app, schema: shortName(app), prismaDirectory };
  await provision({ adminUrl: server.adminUrl, services: [service], rolePassword: (role) => role });
  await migrate({ adminUrl: server.adminUrl, service });
  const sql = await diffSchema(server.adminUrl, service);
  if (sql === undefined) console.log('schema.prisma and the migrations agree: nothing to do.');
  else console.log(`Wrote ${writeMigration(sql)}`);
} finally {
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
}

function writeMigration(sql: string): string {
  const tables = [...sql.matchAll(/^CREATE TABLE (?:"\w+"\.)?"(\w+)"/gm)].map(([, table]) => table);
  const protect = tables.map((table) => `select switchboard.protect_tenant_table('"${table}"');`);
  const text = [sql, ...(protect.length === 0 ? [] : ['\n-- Row-level security', ...protect])].join('\n');
  const timestamp = new Date().toISOString().replaceAll(/\D/g, '').slice(0, 14);
  const folder = new URL(`migrations/${timestamp}_${name}/`, prismaDirectory);
  mkdirSync(folder);
  const file = new URL('migration.sql', folder);
  writeFileSync(file, `${text}\n`);
  return fileURLToPath(file);
}
