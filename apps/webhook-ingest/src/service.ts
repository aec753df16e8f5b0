import { defineService } from '@switchboard/service-kit';
import { build } from './app.ts';
import { configSchema } from './config.ts';
import { PrismaClient } from './store/generated/client.ts';

/**
 * The one public door for providers: raw bytes in, verified with the secret of the connection they name, stored once, published, then 200.
 * It parses no message and calls no provider; it goes on while every neighbour but Postgres is away.
 */
export const service = defineService({
  name: 'webhook-ingest',
  port: 3003,
  config: configSchema,
  database: {
    schema: 'ingest',
    prismaDirectory: new URL('../prisma/', import.meta.url),
    createClient: (adapter) => new PrismaClient({ adapter }),
  },
  build,
});
