import { describeDatabaseOfService } from '@switchboard/db/testing';

describeDatabaseOfService(
  { service: 'genesys-connector', schema: 'genesys', prismaDirectory: new URL('../prisma/', import.meta.url) },
  { systemTables: { deliveries: 'those of all tenants that are too old are dropped' } },
);
