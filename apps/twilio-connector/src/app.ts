import type { ConnectorParts, ConnectorTools } from '@switchboard/connector-kit';
import type { Kit } from '@switchboard/service-kit';
import type { Config } from './config.ts';
import { createTwilio } from './connector.ts';
import type { PrismaClient } from './store/generated/client.ts';

export function buildConnector(kit: Kit<Config, PrismaClient>, _tools: ConnectorTools): ConnectorParts {
  return { definition: createTwilio({ publicWebhookUrl: kit.config.publicWebhookUrl }) };
}
