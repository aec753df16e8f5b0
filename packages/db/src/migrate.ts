import { readdirSync, readFileSync } from 'node:fs';
import type { MigrationList } from '@prisma/schema-engine-wasm';
import { Client } from 'pg';
import type { ServiceSchema } from './port.ts';
import { everything, withSchemaEngine } from './schema-engine.ts';
import { serviceRoles } from './service-roles.ts';

export type MigrateOptions = {
  /** A member of the service's owner role, as after `provision`. */
  readonly adminUrl: string;
  readonly service: ServiceSchema;
};

/** Applies the service's migrations that the database has not seen, in Prisma's standard format. Returns their names. Safe to run from several processes at once. */
export async function migrate({ adminUrl, service }: MigrateOptions): Promise<string[]> {
  const migrationsList = loadMigrations(service.prismaDirectory);
  const lock = new Client({ connectionString: adminUrl });
  lock.on('error', () => undefined);
  await lock.connect();
  try {
    await lock.query(`select pg_advisory_lock(hashtext($1))`, [`switchboard.migrate.${service.schema}`]);
    const connection = { url: adminUrl, schema: service.schema, role: serviceRoles(service).owner };
    return await withSchemaEngine(connection, async (engine) => {
      const { editedMigrationNames, failedMigrationNames, history } = await engine.diagnoseMigrationHistory({ migrationsList, optInToShadowDatabase: false, filters: everything });
      const edited = editedMigrationNames.filter((name) => !failedMigrationNames.includes(name));
      if (edited.length > 0) throw new Error(`${edited.join(', ')} changed after it was applied. Put it back as it was, and make a new migration for the change.`);
      if (history !== null && 'unpersistedMigrationNames' in history) {
        throw new Error(`the database knows ${history.unpersistedMigrationNames.join(', ')}, and this version of Switchboard does not. Start the version that made it, or a newer one.`);
      }
      // A migration is one transaction: what failed left nothing behind and may be tried again.
      for (const migrationName of failedMigrationNames) await engine.markMigrationRolledBack({ migrationName });
      const { appliedMigrationNames } = await engine.applyMigrations({ migrationsList, filters: everything });
      return appliedMigrationNames;
    });
  } catch (cause) {
    throw new Error(`The migrations of ${service.service} could not be applied: ${(cause as Error).message}`, { cause });
  } finally {
    await lock.end();
  }
}

export function loadMigrations(prismaDirectory: URL): MigrationList {
  const migrations = new URL('migrations/', directoryUrl(prismaDirectory));
  const names = readdirSync(migrations, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return {
    baseDir: '.',
    lockfile: { path: 'migration_lock.toml', content: 'provider = "postgresql"\n' },
    shadowDbInitScript: '',
    migrationDirectories: names.toSorted().map((path) => ({
      path,
      migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: readFileSync(new URL(`${path}/migration.sql`, migrations), 'utf8') } },
    })),
  };
}

/** Of a folder's URL with or without its closing slash. */
export function directoryUrl(folder: URL): URL {
  return folder.href.endsWith('/') ? folder : new URL(`${folder.href}/`);
}
