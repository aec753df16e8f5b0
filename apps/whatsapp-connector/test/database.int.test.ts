import { describeDatabaseOfService } from '@switchboard/db/testing';

describeDatabaseOfService(
  { service: 'whatsapp-connector', schema: 'whatsapp', prismaDirectory: new URL('../prisma/', import.meta.url) },
  { systemTables: { deliveries: 'those of all tenants that are too old are dropped' } },
);
