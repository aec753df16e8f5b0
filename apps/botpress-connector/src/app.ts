import type { ConnectorParts, ConnectorTools } from '@switchboard/connector-kit';
import type { Kit } from '@switchboard/service-kit';
import { createChatbotParts } from './chatbot/create-chatbot-parts.ts';
import type { BotpressConfig } from './config.ts';
import { botpress } from './connector.ts';
import type { PrismaClient } from './store/generated/client.ts';

export function buildConnector(kit: Kit<BotpressConfig, PrismaClient>, tools: ConnectorTools): ConnectorParts {
  const { routes, consumers, tasks, onStart, onStop } = createChatbotParts(kit, tools);
  return { definition: botpress, routes, consumers, tasks, onStart, onStop };
}
