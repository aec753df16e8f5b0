import { extendedConnectorService } from '@switchboard/connector-kit';
import { buildConnector } from './app.ts';
import { configSchema } from './config.ts';
import { PrismaClient } from './store/generated/client.ts';

export const service = extendedConnectorService({
  name: 'twilio-connector',
  provider: 'twilio',
  port: 3009,
  schema: 'twilio',
  prismaDirectory: new URL('../prisma/', import.meta.url),
  config: configSchema,
  createClient: (adapter) => new PrismaClient({ adapter }),
  build: buildConnector,
});
