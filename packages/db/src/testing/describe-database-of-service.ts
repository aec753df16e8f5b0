import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestDatabase, testRolePassword, testTenants, type TestDatabase } from '@switchboard/testing';
import { Client } from 'pg';
import { diffSchema } from '../diff-schema.ts';
import { migrate } from '../migrate.ts';
import type { ServiceSchema } from '../port.ts';
import { provision } from '../provision.ts';
import { serviceRoles } from '../service-roles.ts';
import { isTenantTable, readTables, type Table } from './read-tables.ts';
import { sampleRow } from './sample-row.ts';

export type DatabaseOfServiceOptions = {
  /** Unique indexes that hold across tenants on purpose, and why: `{ 'tenant.api_keys_key_id_key': 'a key is looked up before its tenant is known' }`. */
  readonly uniqueAcrossTenants?: Readonly<Record<string, string>>;
  /** Tables whose rows of all tenants the system scope may read, and why: `{ conversations: 'idle ones are closed tenant by tenant' }`. */
  readonly systemTables?: Readonly<Record<string, string>>;
  /** SQL for columns whose CHECK constraints want a certain value, by table: `{ conversations: { state: "'open'" } }`. */
  readonly samples?: Readonly<Record<string, Readonly<Record<string, string>>>>;
};

/** What must hold for the tables of every service, whatever they are: call it in one int test of the service. */
export function describeDatabaseOfService(service: ServiceSchema, options: DatabaseOfServiceOptions = {}): void {
  const roles = serviceRoles(service);
  const { uniqueAcrossTenants = {}, systemTables = {}, samples = {} } = options;
  // Its name sorts beside no service's; it has the roles of a service and no tables.
  const stranger: ServiceSchema = { service: 'stranger', schema: 'stranger', prismaDirectory: service.prismaDirectory };
  let server: TestDatabase;
  let admin: Client;
  let tables: Table[];

  beforeAll(async () => {
    server = await startTestDatabase();
    await provision({ adminUrl: server.adminUrl, services: [service, stranger], rolePassword: testRolePassword });
    await migrate({ adminUrl: server.adminUrl, service });
    admin = new Client({ connectionString: server.adminUrl });
    await admin.connect();
    tables = await readTables(admin, service.schema);
  });
  afterAll(async () => {
    await admin.end();
    await server.drop();
  });

  describe(`the database of ${service.service}`, () => {
    it('is what schema.prisma says: the migrations left nothing out', async () => {
      expect(await diffSchema(server.adminUrl, service)).toBeUndefined();
    });

    it('has row-level security, forced, with a policy on every table', () => {
      expect(tables.length).toBeGreaterThan(0);
      expect(tables.filter((table) => !table.rowSecurity || !table.forced || table.policies.length === 0).map(({ name }) => name)).toEqual([]);
    });

    it('lets the runtime role into a table by app.tenant_id only', () => {
      const open = tables.flatMap((table) =>
        table.policies
          .filter((policy) => policy.roles.some((role) => role !== roles.system))
          .filter((policy) => ![policy.using, policy.check].every((expression) => /^\(tenant_id = .*current_setting\('app\.tenant_id'/.test(expression)))
          .map((policy) => `${table.name}: ${policy.roles.join(', ')}`),
      );
      expect(open).toEqual([]);
    });

    it('opens no table of tenants to the system scope but those that name their reason', () => {
      const open = tables.filter(isTenantTable).filter((table) => table.policies.some((policy) => policy.roles.includes(roles.system)));
      expect(open.map(({ name }) => name).toSorted()).toEqual(Object.keys(systemTables).toSorted());
    });

    it('makes no value unique across tenants, where one tenant could learn of another', () => {
      const across = tables.filter(isTenantTable).flatMap((table) => table.uniques.filter(({ columns }) => columns[0] !== 'tenant_id').map(({ name }) => name));
      expect(across.toSorted()).toEqual(Object.keys(uniqueAcrossTenants).toSorted());
    });

    it('refers from a tenant\'s row to rows of the same tenant alone', () => {
      const across = tables.flatMap((table) => table.references.filter(({ columns, table: target }) => tables.some((each) => each.name === target && isTenantTable(each)) && columns[0] !== 'tenant_id').map(({ name }) => name));
      expect(across).toEqual([]);
    });

    it('belongs to its owner role; runtime and system role own nothing and are above no rule', async () => {
      expect([...new Set(tables.map(({ owner }) => owner))]).toEqual([roles.owner]);
      const { rows } = await admin.query(
        `select r.rolname from pg_roles r where r.rolname = any($1) and (r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolcreatedb or r.rolreplication
           or exists (select from pg_class c where c.relowner = r.oid) or exists (select from pg_namespace n where n.nspowner = r.oid)
           or exists (select from pg_proc p where p.proowner = r.oid))`,
        [[roles.runtime, roles.system]],
      );
      expect(rows).toEqual([]);
      const { rows: [has] } = await admin.query(`select pg_has_role($1, $2, 'usage') as system, pg_has_role($1, $3, 'member') as owner`, [roles.runtime, roles.system, roles.owner]);
      expect(has).toEqual({ system: false, owner: false });
    });

    it('cannot be read by another service', async () => {
      const other = new Client({ connectionString: server.url(serviceRoles(stranger).runtime) });
      await other.connect();
      try {
        for (const { name } of tables) await expect(other.query(`select from ${service.schema}."${name}"`)).rejects.toMatchObject({ code: '42501' });
        await expect(other.query(`set role ${roles.system}`)).rejects.toMatchObject({ code: '42501' });
      } finally {
        await other.end();
      }
    });

    it('shows, changes and deletes no row of another tenant, in any table', async () => {
      const [acme, globex] = testTenants;
      const runtime = new Client({ connectionString: server.url(roles.runtime) });
      await runtime.connect();
      try {
        for (const table of tables.filter(isTenantTable)) {
          const name = `${service.schema}."${table.name}"`;
          // Rows that a foreign key asks for are of no interest here.
          await admin.query('set session_replication_role = replica');
          await admin.query(sampleRow(service.schema, table, acme, samples[table.name] ?? {}));
          const counts = async (tenant: string): Promise<unknown[]> => {
            await runtime.query(`begin; set local app.tenant_id = '${tenant}'`);
            const seen = await runtime.query(`select from ${name}`);
            const changed = await runtime.query(`update ${name} set tenant_id = tenant_id`).catch(allowed);
            const deleted = await runtime.query(`delete from ${name}`).catch(allowed);
            await runtime.query('rollback');
            return [table.name, seen.rowCount, changed.rowCount, deleted.rowCount];
          };
          expect(await counts(globex)).toEqual([table.name, 0, 0, 0]);
          expect((await runtime.query(`select from ${name}`)).rowCount).toBe(0);
          const foreign = sampleRow(service.schema, table, acme, samples[table.name] ?? {});
          await runtime.query(`begin; set local app.tenant_id = '${globex}'`);
          await expect(runtime.query(foreign)).rejects.toMatchObject({ code: '42501' });
          await runtime.query(`rollback; begin; set local app.tenant_id = '${acme}'`);
          // The test can fail: the row is there for its own tenant.
          expect((await runtime.query(`select from ${name}`)).rowCount).toBe(1);
          await runtime.query('rollback');
        }
      } finally {
        await runtime.end();
      }
    });
  });
}

/** A table may be append-only: then what it forbids to all changed nothing. */
function allowed(error: unknown): { rowCount: number } {
  if ((error as { code?: string }).code === '42501' || (error as { code?: string }).code === '25P02') return { rowCount: 0 };
  throw error;
}
