import { onEvent, type Subscription } from '@switchboard/event-bus';
import type { ChatbotDependencies } from '../chatbot/dependencies.ts';

/** Milliseconds: a connection is often changed several times while it is set up. */
const syncDelayMs = 5_000;

/** A bot that has just been connected knows nothing yet. */
export function onBotConnectionChanged({ db, chatbotStore, syncJobs, syncWorker, now }: Pick<ChatbotDependencies, 'db' | 'chatbotStore' | 'syncJobs' | 'syncWorker' | 'now'>, group: string): Subscription {
  return onEvent({
    type: 'connection.changed',
    group: `${group}-sync`,
    effect: 'transaction',
    async handle({ payload: { provider, status } }) {
      if (provider !== 'botpress' || status !== 'active' || (await chatbotStore.find()) === undefined) return;
      await syncJobs.queue({ now: now(), delayMs: syncDelayMs, putOffMsMax: syncDelayMs });
      db.afterCommit(() => syncWorker.wake(syncDelayMs));
    },
  });
}
