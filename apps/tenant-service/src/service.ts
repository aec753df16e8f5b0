import { defineService } from '@switchboard/service-kit';
import { build } from './app.ts';
import { configSchema } from './config.ts';
import { PrismaClient } from './store/generated/client.ts';

/**
 * Tenants, their keys, connections and routes. The only place where credentials are given, checked with the provider and kept; nobody waits
 * for it on a message's way: others keep copies that its events refresh.
 */
export const service = defineService({
  name: 'tenant-service',
  port: 3007,
  config: configSchema,
  database: {
    schema: 'tenant',
    prismaDirectory: new URL('../prisma/', import.meta.url),
    createClient: (adapter) => new PrismaClient({ adapter }),
  },
  build,
});
