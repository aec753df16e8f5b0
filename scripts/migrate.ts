import { services } from '../apps/standalone/src/services.ts';
import { prepareServices } from '../packages/service-kit/src/index.ts';

/**
 * Makes the databases of the distributed mode ready: roles, schemas, migrations, bus tables. Safe to repeat; run it before new versions of
 * the services. DATABASE_ADMIN_URL is a role that may create roles and schemas; DATABASE_ROLE_PASSWORD is the password of the services' own
 * roles, `<ROLE>_PASSWORD` (e.g. SWITCHBOARD_TENANT_PASSWORD) that of one. SERVICES, a comma list, limits it to the services of one server.
 */
const { DATABASE_ADMIN_URL: adminUrl, DATABASE_ROLE_PASSWORD: password, SERVICES: wanted } = process.env;

function passwordOf(role: string): string {
  const own = process.env[`${role.toUpperCase()}_PASSWORD`] ?? password;
  if (own === undefined || own === '') throw new Error(`DATABASE_ROLE_PASSWORD (or ${role.toUpperCase()}_PASSWORD) is missing: the password of the role ${role}.`);
  return own;
}

try {
  if (adminUrl === undefined) throw new Error('DATABASE_ADMIN_URL is missing: the Postgres URL of a role that may create roles and schemas.');
  const names = wanted?.split(',').map((name) => name.trim());
  const chosen = services.filter((service) => service.database !== undefined && (names === undefined || names.includes(service.name)));
  await prepareServices(chosen, { adminUrl, driver: 'kafka', rolePassword: passwordOf });
  console.log(`ready: ${chosen.map((service) => service.name).join(', ')}`);
} catch (error) {
  process.stderr.write(`switchboard: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
