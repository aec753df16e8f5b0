import { connectorService } from '@switchboard/connector-kit';
import { genesys } from './connector.ts';

export const service = connectorService(genesys, { name: 'genesys-connector', port: 3005, schema: 'genesys', prismaDirectory: new URL('../prisma/', import.meta.url) });
