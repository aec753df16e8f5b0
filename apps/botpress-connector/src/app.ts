import type { ConnectorParts, ConnectorTools, MediaConfig } from '@switchboard/connector-kit';
import type { Kit } from '@switchboard/service-kit';
import { botpress } from './connector.ts';
import type { PrismaClient } from './store/generated/client.ts';

export function buildConnector(_kit: Kit<MediaConfig, PrismaClient>, _tools: ConnectorTools): ConnectorParts {
  return { definition: botpress };
}
