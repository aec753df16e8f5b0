import type { ConnectorParts, ConnectorTools } from '@switchboard/connector-kit';
import type { Kit } from '@switchboard/service-kit';
import { composeHooks } from './compose-hooks.ts';
import type { Config } from './config.ts';
import { createTwilio } from './connector.ts';
import type { PrismaClient } from './store/generated/client.ts';
import { createVoicemail } from './voicemail/create-voicemail.ts';

export function buildConnector(kit: Kit<Config, PrismaClient>, tools: ConnectorTools): ConnectorParts {
  const definition = createTwilio({ publicWebhookUrl: kit.config.publicWebhookUrl });
  const parts: readonly Omit<ConnectorParts, 'definition'>[] = [createVoicemail(kit, tools, definition.client)];
  return {
    definition,
    hooks: composeHooks(parts.flatMap(({ hooks }) => hooks ?? [])),
    routes: parts.flatMap(({ routes }) => routes ?? []),
    consumers: parts.flatMap(({ consumers }) => consumers ?? []),
    tasks: parts.flatMap(({ tasks }) => tasks ?? []),
  };
}
