import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openInstallation } from '../../apps/standalone/src/installation.ts';
import { serviceEnvironment } from '../../apps/standalone/src/service-environment.ts';
import { service as stateManager } from '../../apps/state-manager/src/service.ts';
import { PrismaClient as StateClient } from '../../apps/state-manager/src/store/generated/client.ts';
import { configSchema } from '../../apps/tenant-service/src/config.ts';
import { service as tenantService } from '../../apps/tenant-service/src/service.ts';
import { createApiKeyStore } from '../../apps/tenant-service/src/store/api-keys.ts';
import { createAudit } from '../../apps/tenant-service/src/store/audit.ts';
import { createConnectionStore } from '../../apps/tenant-service/src/store/connections.ts';
import { createErasureStore } from '../../apps/tenant-service/src/store/erasures.ts';
import { PrismaClient } from '../../apps/tenant-service/src/store/generated/client.ts';
import { createIdentifierStore } from '../../apps/tenant-service/src/store/identifiers.ts';
import { createRouteStore } from '../../apps/tenant-service/src/store/routes.ts';
import { createTenantStore } from '../../apps/tenant-service/src/store/tenants.ts';
import { createDatabase, runtimeUrl, serviceRoles, type Database } from '../../packages/db/src/index.ts';
import { holdExclusively, startPostgres } from '../../packages/db/src/embedded/index.ts';
import { createDataKeyStore, createSecretBox } from '../../packages/secrets/src/index.ts';
import { kitConfigSchema, loadConfig, StartRefusal, type Environment, type ServiceDefinition } from '../../packages/service-kit/src/index.ts';
import { createLog } from '../../packages/service-kit/src/log/create-log.ts';
import { openKeyProvider } from '../../packages/service-kit/src/service/open-key-provider.ts';
import { openBus } from '../../packages/service-kit/src/service/open-parts.ts';
import { runAsSystem } from '../../packages/tenant-context/src/index.ts';

export type TenantStores = ReturnType<typeof openTenantStores>;

/** The installation that is moved into: the services' own databases under the services' own roles, so that row-level security holds here too. */
export type Target = { readonly tenants: TenantStores; readonly state: Database<unknown>; close(): Promise<void> };

/**
 * DATABASE_ADMIN_URL names the distributed mode's Postgres; without it the embedded one under SWITCHBOARD_HOME is used, started where it does not
 * run. Services may run meanwhile. Throws StartRefusal when there is no prepared installation.
 */
export async function openTarget(environment: Environment): Promise<Target> {
  const undo: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const step of undo.splice(0).toReversed()) await step();
  };
  try {
    const environmentOf = environment['DATABASE_ADMIN_URL'] === undefined || environment['DATABASE_ADMIN_URL'] === '' ? await embedded(environment, undo) : distributed(environment);
    const tenants = openTenantStores(environmentOf(tenantService), undo);
    const { databaseUrl = '' } = loadConfig(kitConfigSchema, environmentOf(stateManager));
    const state = createDatabase({ url: databaseUrl, schema: 'state', connectionsMax: 2, createClient: (adapter) => new StateClient({ adapter }) });
    undo.push(() => state.close());
    await assertPrepared(tenants.db);
    return { tenants, state, close };
  } catch (error) {
    await close().catch(() => undefined);
    throw error;
  }
}

type EnvironmentOf = (service: ServiceDefinition) => Environment;

async function embedded(environment: Environment, undo: (() => Promise<unknown>)[]): Promise<EnvironmentOf> {
  const home = resolve(environment['SWITCHBOARD_HOME'] ?? '.switchboard');
  if (!existsSync(join(home, 'postgres', 'data'))) throw new StartRefusal(`There is no installation under ${home}: run npm start once, or set SWITCHBOARD_HOME or DATABASE_ADMIN_URL to the one that is meant.`);
  const installation = openInstallation(home, environment['ADMIN_KEY']);
  const postgres = await startPostgres({ directory: join(home, 'postgres') });
  // Where nobody else runs on it, the server is ours to stop; as long as we hold it, npm start says so instead of losing its database.
  const release = await holdExclusively(postgres.adminUrl);
  if (release !== false) undo.push(() => postgres.stop(), release);
  return (service) => serviceEnvironment(service, [tenantService, stateManager], { installation, adminUrl: postgres.adminUrl, busDriver: 'embedded', environment });
}

function distributed(environment: Environment): EnvironmentOf {
  const adminUrl = environment['DATABASE_ADMIN_URL'] ?? '';
  const passwordOf = (role: string): string => {
    const password = environment[`${role.toUpperCase()}_PASSWORD`] ?? environment['DATABASE_ROLE_PASSWORD'];
    if (password === undefined || password === '') throw new StartRefusal(`DATABASE_ROLE_PASSWORD (or ${role.toUpperCase()}_PASSWORD) is missing: the password of the role ${role}.`);
    return password;
  };
  return ({ name, database }) => {
    const roles = serviceRoles({ schema: database?.schema ?? '' });
    const busRole = environment['BUS_DRIVER'] === 'embedded' ? 'switchboard_bus' : roles.bus;
    // Each service may have a server of its own.
    const prefix = name.toUpperCase().replaceAll('-', '_');
    return {
      BUS_DRIVER: 'kafka',
      // Asked for by every service and used by none here: nobody is called, and events wait in the outbox for the service's own relay.
      KAFKA_BROKERS: 'none:9092',
      INTERNAL_TOKEN_SECRET: 'this command signs no internal token',
      ...environment,
      DATABASE_URL: environment[`${prefix}_DATABASE_URL`] ?? runtimeUrl(adminUrl, roles.runtime, passwordOf(roles.runtime)),
      BUS_DATABASE_URL: environment[`${prefix}_BUS_DATABASE_URL`] ?? runtimeUrl(adminUrl, busRole, passwordOf(busRole)),
    };
  };
}

function openTenantStores(environment: Environment, undo: (() => Promise<unknown>)[]) {
  const kitConfig = loadConfig(kitConfigSchema, environment);
  const config = loadConfig(configSchema, environment);
  const db = createDatabase({ url: kitConfig.databaseUrl ?? '', schema: 'tenant', connectionsMax: 4, createClient: (adapter) => new PrismaClient({ adapter }) });
  undo.push(() => db.close());
  // Never started: what it publishes is a row in the transaction that publishes, and goes on with the services.
  const bus = openBus(tenantService, kitConfig, db, createLog({ service: 'migrate-single-tenant', level: 'warn' }));
  undo.push(() => bus.stop());
  const secretBox = createSecretBox({ keyProvider: openKeyProvider(tenantService.name, kitConfig), dataKeys: createDataKeyStore(db) });
  return {
    db,
    bus,
    config,
    tenants: createTenantStore(db),
    erasures: createErasureStore(db),
    connections: createConnectionStore(db, secretBox),
    identifiers: createIdentifierStore(db),
    routes: createRouteStore(db),
    apiKeys: createApiKeyStore(db),
    audit: createAudit(db),
    now: () => new Date(),
  };
}

async function assertPrepared(db: Database<unknown>): Promise<void> {
  const columns = await runAsSystem('is the installation of this version', () =>
    db.transaction(() => db.sql.query(`select from information_schema.columns where table_schema = 'tenant' and table_name = 'api_keys' and column_name = 'legacy_hash'`)),
  );
  if (columns.length === 0) throw new StartRefusal('The installation is not of this version yet: start it once (npm start), or run scripts/migrate.ts where it is distributed.');
}
