import { describeDatabaseOfService } from '@switchboard/db/testing';

describeDatabaseOfService(
  { service: 'botpress-connector', schema: 'botpress', prismaDirectory: new URL('../prisma/', import.meta.url) },
  {
    systemTables: {
      deliveries: 'those of all tenants that are too old are dropped',
      chatbot_sync_jobs: 'the next job of any tenant is begun',
    },
  },
);
