import { connectorService } from '@switchboard/connector-kit';
import { connector } from './connector.ts';

/** The channel at Meta's WhatsApp Cloud API. */
export const service = connectorService(connector, {
  name: 'whatsapp-connector',
  port: 3004,
  schema: 'whatsapp',
  prismaDirectory: new URL('../prisma/', import.meta.url),
});
