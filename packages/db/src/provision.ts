import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { ServiceSchema } from './port.ts';
import { embeddedBusRole, serviceRoles } from './service-roles.ts';

export type ProvisionOptions = {
  /** A role that may create roles and schemas in this database. */
  readonly adminUrl: string;
  readonly services: readonly ServiceSchema[];
  /** Password of a role that logs in. Roles belong to the server: give the same one for all its databases. */
  readonly rolePassword: (role: string) => string;
};

/**
 * Makes what the services need before their migrations: roles, one schema each, and the functions that migrations protect tables with.
 * Safe to repeat and to run from several processes at once.
 */
export async function provision(options: ProvisionOptions): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await provisionOnce(options);
      return;
    } catch (error) {
      // Roles belong to the whole server and an advisory lock to one database: another database's provisioning may make the same role now.
      if (attempt >= 20 || !isRoleConflict(error)) throw error;
      await sleep(20 + Math.random() * 100);
    }
  }
}

async function provisionOnce({ adminUrl, services, rolePassword }: ProvisionOptions): Promise<void> {
  const client = new Client({ connectionString: adminUrl });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query('begin');
    await client.query(`select pg_advisory_xact_lock(hashtext('switchboard.provision'))`);
    await client.query(readFileSync(new URL('../sql/protect.sql', import.meta.url), 'utf8'));
    await client.query(`
      revoke create on schema public from public;
      grant usage on schema switchboard to public;
      do $$ begin execute format('revoke connect, temporary on database %I from public', current_database()); end $$;`);
    await ensureLoginRole(client, embeddedBusRole, rolePassword(embeddedBusRole));
    for (const service of services) await provisionService(client, service, rolePassword);
    await client.query('commit');
  } finally {
    await client.end();
  }
}

async function provisionService(client: Client, service: ServiceSchema, rolePassword: (role: string) => string): Promise<void> {
  const roles = serviceRoles(service);
  await ensureLoginRole(client, roles.runtime, rolePassword(roles.runtime));
  await ensureLoginRole(client, roles.bus, rolePassword(roles.bus));
  await ensureRole(client, roles.system, 'nologin');
  await ensureRole(client, roles.owner, 'nologin');
  // The runtime role may become the system role and must not have its rights before: it is NOINHERIT, and policies follow inheritance.
  await client.query(`
    grant ${roles.system} to ${roles.runtime};
    grant ${roles.owner} to current_user;
    create schema if not exists ${service.schema} authorization ${roles.owner};
    grant usage on schema ${service.schema} to ${roles.runtime}, ${roles.system};`);
}

async function ensureLoginRole(client: Client, role: string, password: string): Promise<void> {
  await ensureRole(client, role, 'login');
  await client.query(`alter role ${role} password ${client.escapeLiteral(password)}`);
  await client.query(`do $$ begin execute format('grant connect on database %I to ${role}', current_database()); end $$`);
}

async function ensureRole(client: Client, role: string, login: 'login' | 'nologin'): Promise<void> {
  const { rows } = await client.query('select from pg_roles where rolname = $1', [role]);
  if (rows.length === 0) await client.query(`create role ${role} ${login} noinherit nosuperuser nobypassrls nocreatedb nocreaterole`);
}

function isRoleConflict(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: string };
  // duplicate_object, unique_violation on pg_authid, "tuple concurrently updated", deadlock
  return code === '42710' || code === '23505' || code === 'XX000' || code === '40P01';
}
