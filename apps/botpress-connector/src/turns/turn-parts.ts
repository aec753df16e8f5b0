import type { ConnectorTools } from '@switchboard/connector-kit';
import type { Database } from '@switchboard/db';
import type { BusLog, EventBus } from '@switchboard/event-bus';
import type { ConnectionId, ConversationId, EventId } from '@switchboard/contracts';
import type { Chatbot, Chatbots } from '../chatbot/create-chatbots.ts';
import type { Sessions } from '../store/sessions.ts';

/** What contacts book with a bot. */
export interface Bookings {
  /** Keeps what a bot asked for in the contact's name, once for each key, in the open transaction; gives back what the contact reads of it. */
  request(fields: Readonly<Record<string, unknown>>, of: { readonly chatbot: Chatbot; readonly conversationId: ConversationId; readonly connectionId: ConnectionId; readonly requestKey: EventId }): Promise<string>;
}

/** What the behaviour around a turn works with. */
export type TurnParts = {
  /** The service's name: the consumer group. */
  readonly name: string;
  readonly db: Pick<Database<unknown>, 'transaction'>;
  readonly bus: Pick<EventBus, 'publish'>;
  readonly log: BusLog;
  readonly now: () => Date;
  readonly sessions: Sessions;
  readonly chatbots: Chatbots;
  readonly bookings: Bookings;
  readonly publishInbound: ConnectorTools['publishInbound'];
};
