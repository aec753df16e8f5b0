import type { ConnectionWithSecrets } from '@switchboard/contracts';
import type { BusLog, EventBus, UnitOfWork } from '@switchboard/event-bus';
import type { Connections } from '../connections/create-connections.ts';
import type { Pace } from '../domain/create-pace.ts';
import type { MediaStore } from '../media/media-store.ts';
import type { ClientContext } from '../port.ts';
import type { Deliveries } from '../store/deliveries.ts';

/** What the consumers of every connector work with. */
export type ConnectorDeps = {
  /** The service's name: the consumer group. */
  readonly name: string;
  readonly bus: Pick<EventBus, 'publish'>;
  readonly db: Pick<UnitOfWork, 'transaction'>;
  readonly log: BusLog;
  readonly connections: Connections;
  readonly deliveries: Deliveries;
  readonly mediaStore: MediaStore;
  readonly clientContext: (connection: ConnectionWithSecrets) => ClientContext;
  /** By connection. */
  readonly pace: Pace;
  /** By connection and contact. */
  readonly pairPace: Pace;
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<void>;
};
