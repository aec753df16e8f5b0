import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDatabase, migrate, provision } from '@switchboard/db';
import { describeDatabaseOfService } from '@switchboard/db/testing';
import { runAsTenant } from '@switchboard/tenant-context';
import { startTestDatabase, testRolePassword, testTenants, type TestDatabase } from '@switchboard/testing';
import { createAudit } from './audit.ts';
import type { TenantDatabase } from './client.ts';
import { PrismaClient } from './generated/client.ts';

const schema = { service: 'tenant-service', schema: 'tenant', prismaDirectory: new URL('../../prisma/', import.meta.url) };

describeDatabaseOfService(schema, {
  uniqueAcrossTenants: {
    'tenant.tenants_subdomain_key': 'a subdomain names one tenant of the installation',
    'tenant.tenants_creation_key_key': 'an Idempotency-Key of the platform makes one tenant',
    'tenant.api_keys_key_id_key': 'a key is looked up before its tenant is known',
    'tenant.api_keys_legacy_hash_key': 'so is a key that was brought along, by its hash',
    'tenant.owned_identifiers_provider_name_value_key': 'an account at a provider works for one tenant',
  },
  systemTables: {
    tenants: 'the platform lists its tenants',
    api_keys: 'the tenant of a key is what is asked for',
    connections: 'ingest keeps a copy of all; the tenant of a webhook is what is asked for',
    connection_drafts: 'those whose check is due are found before each is checked as its tenant',
    previous_webhook_secrets: 'ingest verifies with replaced secrets until they expire; sealed, each under its tenant\'s key',
    usage: 'the platform bills all tenants of a month; numbers alone',
    usage_totals: 'the same',
    usage_contacts: 'those of months that are over are dropped',
    reached_limits: 'the platform sees which tenants are at a limit of their plan',
    owned_identifiers: 'whether another tenant owns an account is asked before it is connected',
  },
});

describe('the audit', () => {
  let database: TestDatabase;
  let db: TenantDatabase;

  beforeAll(async () => {
    database = await startTestDatabase();
    await provision({ adminUrl: database.adminUrl, services: [schema], rolePassword: testRolePassword });
    await migrate({ adminUrl: database.adminUrl, service: schema });
    db = createDatabase({ url: database.url('switchboard_tenant'), schema: 'tenant', connectionsMax: 2, createClient: (adapter) => new PrismaClient({ adapter }) });
  });
  afterAll(async () => {
    await db?.close();
    await database?.drop();
  });

  it('can be written and read by its tenant, and neither changed nor deleted by anybody', async () => {
    const [acme, globex] = testTenants;
    const inTenant = <T>(tenant: typeof acme, fn: () => Promise<T>) => runAsTenant(tenant, () => db.transaction(fn));
    await inTenant(acme, () => createAudit(db).append({ actor: 'admin', action: 'tenant.created', subject: acme, facts: { plan: 'starter' } }));
    expect(await inTenant(acme, () => db.prisma.auditEntry.findMany())).toMatchObject([{ actor: 'admin', action: 'tenant.created', facts: { plan: 'starter' } }]);
    expect(await inTenant(globex, () => db.prisma.auditEntry.findMany())).toEqual([]);
    await expect(inTenant(acme, () => db.sql.query("update audit_entries set actor = 'nobody'"))).rejects.toThrow(/permission denied/);
    await expect(inTenant(acme, () => db.sql.query('delete from audit_entries'))).rejects.toThrow(/permission denied/);
  });
});
