import type { ConnectorTools } from '@switchboard/connector-kit';
import type { Database } from '@switchboard/db';
import type { BusLog, EventBus } from '@switchboard/event-bus';
import type { Calendar } from '../chatbot/calendar.ts';
import type { Chatbots } from '../chatbot/create-chatbots.ts';
import type { Sessions } from '../store/sessions.ts';

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
  readonly calendar: Calendar;
  readonly publishInbound: ConnectorTools['publishInbound'];
};
