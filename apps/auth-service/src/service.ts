import { defineService } from '@switchboard/service-kit';
import { build } from './app.ts';
import { configSchema } from './config.ts';
import { PrismaClient } from './store/generated/client.ts';

/**
 * People and machines: members and staff, their log-ins, sessions and the keys that sign their tokens; and the access tokens of providers. The
 * gateway asks it once for each token of a person, and again when it says that something of theirs has changed.
 */
export const service = defineService({
  name: 'auth-service',
  port: 3001,
  config: configSchema,
  database: {
    schema: 'auth',
    prismaDirectory: new URL('../prisma/', import.meta.url),
    createClient: (adapter) => new PrismaClient({ adapter }),
  },
  build,
});
