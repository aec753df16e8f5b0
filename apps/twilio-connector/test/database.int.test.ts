import { describeDatabaseOfService } from '@switchboard/db/testing';

describeDatabaseOfService(
  { service: 'twilio-connector', schema: 'twilio', prismaDirectory: new URL('../prisma/', import.meta.url) },
  {
    systemTables: {
      deliveries: 'those of all tenants that are too old are dropped',
      usage_items: 'those of all tenants that are too old are dropped',
      reconciliations: 'connections of all tenants that are due to be looked through are found',
      calls: 'those of all tenants that are too old are dropped',
    },
  },
);
