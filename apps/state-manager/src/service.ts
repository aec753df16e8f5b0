import { defineService } from '@switchboard/service-kit';
import { build } from './app.ts';
import { configSchema } from './config.ts';
import { PrismaClient } from './store/generated/client.ts';

/** Contacts, conversations, messages, deliveries, mappings: the only writer of them, and the only place where it is decided who answers a conversation. */
export const service = defineService({
  name: 'state-manager',
  port: 3002,
  config: configSchema,
  database: {
    schema: 'state',
    prismaDirectory: new URL('../prisma/', import.meta.url),
    createClient: (adapter) => new PrismaClient({ adapter }),
  },
  build,
});
