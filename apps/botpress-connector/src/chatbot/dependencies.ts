import type { EventBus } from '@switchboard/event-bus';
import type { CallRoute } from '@switchboard/service-kit';
import type { BookingStore } from '../store/bookings.ts';
import type { ChatbotStore } from '../store/chatbots.ts';
import type { SyncJobStore } from '../store/chatbot-sync-jobs.ts';
import type { BotpressDatabase } from '../store/client.ts';
import type { Chatbots } from './create-chatbots.ts';
import type { SyncWorker } from './sync/create-sync-worker.ts';

/** What the chatbot's routes and consumers work with. */
export type ChatbotDependencies = {
  readonly db: BotpressDatabase;
  readonly bus: EventBus;
  readonly callRoute: CallRoute;
  readonly now: () => Date;
  readonly chatbots: Chatbots;
  readonly chatbotStore: ChatbotStore;
  readonly syncJobs: SyncJobStore;
  readonly syncWorker: Pick<SyncWorker, 'wake'>;
  readonly bookings: BookingStore;
};
