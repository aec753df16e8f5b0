import type { ConnectorTools } from '@switchboard/connector-kit';
import type { Kit, ServiceParts } from '@switchboard/service-kit';
import type { BotpressConfig } from '../config.ts';
import { onBotConnectionChanged } from '../consumers/on-bot-connection-changed.ts';
import { onChannelWebhook } from '../consumers/on-channel-webhook.ts';
import { onChatbotChanged } from '../consumers/on-chatbot-changed.ts';
import { createChatbotRoute } from '../routes/create-chatbot.ts';
import { getChatbotSyncRoute } from '../routes/get-chatbot-sync.ts';
import { getChatbotRoute } from '../routes/get-chatbot.ts';
import { listBookingsRoute } from '../routes/list-bookings.ts';
import { listChatbotVersionsRoute } from '../routes/list-chatbot-versions.ts';
import { replaceChatbotRoutes } from '../routes/replace-chatbot.ts';
import { replaceKnowledgeBaseRoute } from '../routes/replace-knowledge-base.ts';
import { restoreChatbotVersionRoute } from '../routes/restore-chatbot-version.ts';
import { startChatbotSyncRoute } from '../routes/start-chatbot-sync.ts';
import { createBookingStore } from '../store/bookings.ts';
import { createChatbotStore } from '../store/chatbots.ts';
import { createSyncJobStore } from '../store/chatbot-sync-jobs.ts';
import type { PrismaClient } from '../store/generated/client.ts';
import type { Calendar } from './calendar.ts';
import { createChatbots, type Chatbots } from './create-chatbots.ts';
import { createRequestCalendar } from './create-request-calendar.ts';
import type { ChatbotDependencies } from './dependencies.ts';
import { createRunSync } from './sync/run-sync.ts';
import { createSyncWorker } from './sync/create-sync-worker.ts';

/** What the chatbot's configuration adds to the service, and what turns of conversations need of it. */
export type ChatbotParts = Required<Pick<ServiceParts, 'routes' | 'consumers' | 'tasks' | 'onStart' | 'onStop'>> & { readonly chatbots: Chatbots; readonly calendar: Calendar };

export function createChatbotParts(kit: Kit<BotpressConfig, PrismaClient>, tools: Pick<ConnectorTools, 'connections' | 'runClient'>): ChatbotParts {
  const { db, bus, callRoute, config, log, now } = kit;
  const chatbotStore = createChatbotStore(db);
  const syncJobs = createSyncJobStore(db);
  const bookings = createBookingStore(db);
  const chatbots = createChatbots({ store: chatbotStore, redisUrl: config.redisUrl, bytesMax: config.chatbotCacheBytes, onCacheFailure: (code) => log.warn({ code }, 'the cache of chatbots failed; they are loaded instead') });
  const syncWorker = createSyncWorker({ jobs: syncJobs, run: createRunSync({ chatbotStore, tools, callRoute }), parallel: config.chatbotSyncParallel, log, now });
  const deps: ChatbotDependencies = { db, bus, callRoute, now, chatbots, chatbotStore, syncJobs, syncWorker, bookings };
  return {
    chatbots,
    calendar: createRequestCalendar({ db, bookings, now }),
    routes: [
      createChatbotRoute(deps),
      getChatbotRoute(deps),
      ...replaceChatbotRoutes(deps),
      replaceKnowledgeBaseRoute(deps),
      startChatbotSyncRoute(deps),
      getChatbotSyncRoute(deps),
      listChatbotVersionsRoute(deps),
      restoreChatbotVersionRoute(deps),
      listBookingsRoute(deps),
    ],
    consumers: [onChatbotChanged(chatbots, kit.name), onBotConnectionChanged(deps, kit.name), onChannelWebhook({ chatbots, connections: tools.connections, callRoute }, kit.name)],
    // Jobs of processes that are no more, and what a wake-up was lost of.
    tasks: [{ name: 'sync-chatbots', cron: '* * * * *', run: async () => syncWorker.wake(0) }],
    onStart: async () => syncWorker.wake(0),
    onStop: async () => {
      await syncWorker.stop();
      await chatbots.close();
    },
  };
}
