import { runMigrations } from 'graphile-worker';
import { Client, Pool } from 'pg';
import { busSchemaOf, type BusDriverName, type BusSchema } from '../bus-schema.ts';
import { recordEffectSql } from './bus-functions-sql.ts';
import { busTablesSql } from './bus-tables-sql.ts';
import { embeddedSql } from './embedded-sql.ts';
import { kafkaSql } from './kafka-sql.ts';

export type InstallBusOptions = {
  /** Of a superuser, or of a role that may create roles and schemas in this database. */
  readonly adminUrl: string;
  readonly driver: BusDriverName;
  /** `schema` is the service's short name. Its roles `switchboard_<schema>` and `switchboard_<schema>_system` exist already. */
  readonly services: readonly { readonly schema: string }[];
  /** Passwords of the roles that own the bus; without it the roles must exist already. */
  readonly rolePassword?: (role: string) => string;
};

/** Any number no other advisory lock of ours uses: two installers at once would trip over each other's "if not exists". */
const installLock = 7_311_003;

/** Creates or brings up to date the bus objects of these services and gives the services their functions. Repeatable. */
export async function installBus({ adminUrl, driver, services, rolePassword }: InstallBusOptions): Promise<void> {
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [installLock]);
    const schemas = new Map<string, { schema: BusSchema; services: string[] }>();
    for (const service of services) {
      const schema = busSchemaOf(driver, service.schema);
      const entry = schemas.get(schema.name) ?? { schema, services: [] };
      entry.services.push(service.schema);
      schemas.set(schema.name, entry);
    }
    for (const entry of schemas.values()) {
      await createOwner(client, entry.schema, rolePassword);
      await migrateWorker(client, adminUrl, entry.schema);
      await createObjects(client, driver, entry.schema, entry.services);
    }
  } finally {
    await client.end();
  }
}

async function createOwner(client: Client, { name, worker, owner }: BusSchema, rolePassword: InstallBusOptions['rolePassword']): Promise<void> {
  const { rowCount } = await client.query('select from pg_roles where rolname = $1', [owner]);
  if (rowCount === 0) {
    if (rolePassword === undefined) throw new Error(`role ${owner} does not exist: provision the database before installing the bus`);
    // Roles belong to the whole server: another database's installer may have made this one in the meantime.
    await client.query(`do $$ begin
      create role ${owner} login noinherit nosuperuser nobypassrls password ${client.escapeLiteral(rolePassword(owner))};
      exception when duplicate_object or unique_violation then null; end $$`);
  }
  await client.query(`create schema if not exists ${name} authorization ${owner}; create schema if not exists ${worker} authorization ${owner};`);
}

/** graphile-worker's migrations run as the owner, so that it owns its tables: their row-level security has no policies, only an owner gets in. */
async function migrateWorker(client: Client, adminUrl: string, { worker, owner }: BusSchema): Promise<void> {
  const database = client.escapeIdentifier(client.database ?? 'postgres');
  // Its "create schema if not exists" asks for this right even where the schema exists.
  await client.query(`grant create on database ${database} to ${owner}`);
  const pool = new Pool({ connectionString: adminUrl, options: `-c role=${owner}`, max: 2 });
  pool.on('error', () => undefined);
  pool.on('connect', (connection) => connection.on('error', () => undefined));
  try {
    await runMigrations({ pgPool: pool, schema: worker });
  } finally {
    await pool.end();
    await client.query(`revoke create on database ${database} from ${owner}`);
  }
}

async function createObjects(client: Client, driver: BusDriverName, schema: BusSchema, services: readonly string[]): Promise<void> {
  const { name, owner } = schema;
  const callers = services.flatMap((service) => [`switchboard_${service}`, `switchboard_${service}_system`]).join(', ');
  const functions = ['publish(jsonb, boolean)', 'record_effect(text, text, bigint)', 'remove_pending(bigint)', 'note_erased(text, jsonb)'].map((signature) => `${name}.${signature}`).join(', ');
  await client.query(`
    begin;
    set local client_min_messages = warning;
    set local role ${owner};
    ${busTablesSql(schema)}
    ${recordEffectSql(schema)}
    ${driver === 'embedded' ? embeddedSql(schema) : kafkaSql(schema)}
    revoke all on function ${functions} from public;
    grant usage on schema ${name} to ${callers};
    grant execute on function ${functions} to ${callers};
    commit;`);
}
