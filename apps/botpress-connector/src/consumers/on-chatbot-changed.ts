import { onEvent, type Subscription } from '@switchboard/event-bus';
import type { Chatbots } from '../chatbot/create-chatbots.ts';

/** Every process forgets what it keeps of the tenant's chatbot. */
export function onChatbotChanged(chatbots: Pick<Chatbots, 'drop'>, group: string): Subscription {
  return onEvent({ type: 'chatbot.changed', group: `${group}-cache`, effect: 'idempotent', delivery: 'broadcast', handle: () => chatbots.drop() });
}
