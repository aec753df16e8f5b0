import { extendedConnectorService } from '@switchboard/connector-kit';
import { buildConnector } from './app.ts';
import { botpressConfig } from './config.ts';
import { PrismaClient } from './store/generated/client.ts';

export const service = extendedConnectorService({
  name: 'botpress-connector',
  provider: 'botpress',
  port: 3008,
  schema: 'botpress',
  prismaDirectory: new URL('../prisma/', import.meta.url),
  config: botpressConfig,
  createClient: (adapter) => new PrismaClient({ adapter }),
  build: buildConnector,
});
