import type { ConnectorParts, ConnectorTools } from '@switchboard/connector-kit';
import type { Kit } from '@switchboard/service-kit';
import { createChatbotParts } from './chatbot/create-chatbot-parts.ts';
import type { BotpressConfig } from './config.ts';
import { createBotpress } from './connector.ts';
import type { PrismaClient } from './store/generated/client.ts';
import { createSessions } from './store/sessions.ts';
import { createTurns } from './turns/create-turns.ts';

export function buildConnector(kit: Kit<BotpressConfig, PrismaClient>, tools: ConnectorTools): ConnectorParts {
  const { name, db, bus, log, now } = kit;
  const { chatbots, calendar, routes, consumers, tasks, onStart, onStop } = createChatbotParts(kit, tools);
  const turns = createTurns({ name, db, bus, log, now, chatbots, sessions: createSessions(db), calendar, publishInbound: tools.publishInbound });
  const definition = createBotpress(turns);
  return { definition, hooks: turns.hooks, routes, consumers: [...turns.consumers(definition, tools), ...consumers], tasks, onStart, onStop };
}
