import { describeDatabaseOfService } from '@switchboard/db/testing';

describeDatabaseOfService(
  { service: 'chatwoot-connector', schema: 'chatwoot', prismaDirectory: new URL('../prisma/', import.meta.url) },
  {
    systemTables: {
      deliveries: 'those of all tenants that are too old are dropped',
      posts: 'those of all tenants that are too old are dropped',
      account_moves: 'those of all tenants that wait for a process are found',
    },
  },
);
