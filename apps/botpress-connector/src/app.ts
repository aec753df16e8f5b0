import type { ConnectorParts, ConnectorTools, MediaConfig } from '@switchboard/connector-kit';
import type { Kit } from '@switchboard/service-kit';
import { createChatbots } from './chatbot/create-chatbots.ts';
import { createBotpress } from './connector.ts';
import { createChatbotStore } from './store/chatbots.ts';
import type { PrismaClient } from './store/generated/client.ts';
import { createSessions } from './store/sessions.ts';
import { createTurns } from './turns/create-turns.ts';

/** Bytes of chatbots in memory: some thousand of them at 20 KB. */
const chatbotBytesMax = 128 * 1024 * 1024;

export function buildConnector(kit: Kit<MediaConfig, PrismaClient>, tools: ConnectorTools): ConnectorParts {
  const { name, db, bus, log, now } = kit;
  const chatbots = createChatbots({ store: createChatbotStore(db), bytesMax: chatbotBytesMax });
  const turns = createTurns({ name, db, bus, log, now, chatbots, sessions: createSessions(db), bookings: { request: () => Promise.resolve('…') }, publishInbound: tools.publishInbound });
  const definition = createBotpress(turns);
  return { definition, hooks: turns.hooks, consumers: turns.consumers(definition, tools), onStop: () => chatbots.close() };
}
