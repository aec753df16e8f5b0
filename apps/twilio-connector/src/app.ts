import type { ConnectorParts, ConnectorTools } from '@switchboard/connector-kit';
import type { Kit } from '@switchboard/service-kit';
import { composeHooks } from './compose-hooks.ts';
import type { Config } from './config.ts';
import { createTwilio } from './connector.ts';
import type { PrismaClient } from './store/generated/client.ts';

export function buildConnector(kit: Kit<Config, PrismaClient>, _tools: ConnectorTools): ConnectorParts {
  const parts: readonly Omit<ConnectorParts, 'definition'>[] = [];
  return {
    definition: createTwilio({ publicWebhookUrl: kit.config.publicWebhookUrl }),
    hooks: composeHooks(parts.flatMap(({ hooks }) => hooks ?? [])),
    routes: parts.flatMap(({ routes }) => routes ?? []),
    consumers: parts.flatMap(({ consumers }) => consumers ?? []),
    tasks: parts.flatMap(({ tasks }) => tasks ?? []),
  };
}
