/**
 * A service's database: transactions that carry the tenant, Prisma inside them, roles and row-level security, migrations.
 * Knows no service's models, and never lets a query run outside a tenant's or a stated system scope.
 */
export type * from './port.ts';
export { createDatabase } from './create-database.ts';
export { eraseTenantRows } from './erase-tenant-rows.ts';
export { migrate, type MigrateOptions } from './migrate.ts';
export { provision, type ProvisionOptions } from './provision.ts';
export { runtimeUrl } from './runtime-url.ts';
export { shortName } from './short-name.ts';
export { embeddedBusRole, serviceRoles, type ServiceRoles } from './service-roles.ts';
