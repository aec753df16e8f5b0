import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createDatabase, runtimeUrl, type Database } from '@switchboard/db';
import { holdExclusively, startPostgres } from '@switchboard/db/embedded';
import { StartRefusal, type ServiceDefinition } from '@switchboard/service-kit';
import { openInstallation } from './installation.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** The databases of one installation, for commands that work beside its services. */
export type Place = {
  /** For the person at the terminal. */
  readonly name: string;
  readonly databaseUrlOf: (service: ServiceDefinition) => string;
  /** Variables that the services of this place have besides those of the terminal. */
  readonly variables: Variables;
  readonly close: () => Promise<void>;
};

export function openServiceDatabase(service: ServiceDefinition, databaseUrlOf: Place['databaseUrlOf']): Database<unknown> {
  if (service.database === undefined) throw new Error(`${service.name} has no database`);
  const { schema, createClient } = service.database;
  return createDatabase({ url: databaseUrlOf(service), schema, connectionsMax: 4, createClient });
}

/**
 * Where the services' databases are. Distributed: DATABASE_ADMIN_URL names the server and DATABASE_ROLE_PASSWORD the password of the services' roles
 * (`<ROLE>_PASSWORD` that of one), as for scripts/migrate.ts; `<ROLE>_DATABASE_URL` (e.g. SWITCHBOARD_TENANT_DATABASE_URL) is a service on another
 * server. Otherwise the embedded one under SWITCHBOARD_HOME, running or not; it is left as it was found. Throws StartRefusal.
 */
export async function openServiceDatabases(environment: Variables): Promise<Place[]> {
  const isDistributed = Object.entries(environment).some(([name, value]) => /^(DATABASE_ADMIN_URL|SWITCHBOARD_\w+_DATABASE_URL)$/.test(name) && value !== '');
  if (isDistributed) return [{ name: 'the given databases', databaseUrlOf: (service) => givenUrl(service, environment), variables: {}, close: async () => undefined }];

  const home = resolve(environment['SWITCHBOARD_HOME'] ?? '.switchboard');
  // `npm start` and `npm run services` keep a Postgres each in the one folder.
  const directories = [join(home, 'postgres'), join(home, 'services', 'postgres')].filter((directory) => existsSync(join(directory, 'data')));
  if (directories.length === 0) throw new StartRefusal(`There is no installation in ${home}: set SWITCHBOARD_HOME to its folder, or DATABASE_ADMIN_URL and DATABASE_ROLE_PASSWORD to the Postgres of the services.`);
  const { secrets } = openInstallation(home, undefined);
  return await Promise.all(
    directories.map(async (directory) => {
      const postgres = await startPostgres({ directory });
      const release = await holdExclusively(postgres.adminUrl);
      return {
        name: directory,
        databaseUrlOf: ({ database }: ServiceDefinition) => runtimeUrl(postgres.adminUrl, `switchboard_${database?.schema}`, secrets.databasePassword),
        variables: { KEY_ENCRYPTION_KEY: secrets.keyEncryptionKey },
        close: async () => {
          // False: Switchboard runs on it, and it is Switchboard's to stop.
          if (release === false) return;
          await release();
          await postgres.stop();
        },
      };
    }),
  );
}

function givenUrl({ name, database }: ServiceDefinition, environment: Variables): string {
  const role = `switchboard_${database?.schema}`;
  const prefix = role.toUpperCase();
  const own = environment[`${prefix}_DATABASE_URL`];
  if (own !== undefined && own !== '') return own;
  const { DATABASE_ADMIN_URL: adminUrl, DATABASE_ROLE_PASSWORD: common } = environment;
  const password = environment[`${prefix}_PASSWORD`] ?? common;
  if (adminUrl === undefined || adminUrl === '' || password === undefined || password === '') {
    throw new StartRefusal(`The database of ${name} is not known: set ${prefix}_DATABASE_URL, or DATABASE_ADMIN_URL and DATABASE_ROLE_PASSWORD.`);
  }
  return runtimeUrl(adminUrl, role, password);
}
