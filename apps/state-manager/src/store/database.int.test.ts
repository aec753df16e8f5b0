import { describeDatabaseOfService } from '@switchboard/db/testing';

describeDatabaseOfService(
  { service: 'state', schema: 'state', prismaDirectory: new URL('../../prisma/', import.meta.url) },
  {
    systemTables: {
      conversations: 'idle ones of all tenants are found before each is closed as its tenant',
      provider_messages: 'words about messages of other programs are dropped; ids alone, nothing that was said',
      usage_counters: 'tenants of whom there is usage to tell are found before each is told of as itself; numbers alone',
      active_contacts: 'the same; ids alone',
    },
  },
);
