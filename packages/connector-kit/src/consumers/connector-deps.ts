import type { BusLog, EventBus, UnitOfWork } from '@switchboard/event-bus';
import type { RunClient } from '../connections/create-client-runner.ts';
import type { Connections } from '../connections/create-connections.ts';
import type { Pace } from '../domain/create-pace.ts';
import type { HealthReports } from '../health/create-health-reports.ts';
import type { FileRoom } from '../media/create-file-room.ts';
import type { MediaStore } from '../media/media-store.ts';
import type { ConnectorHooks } from '../port.ts';
import type { Deliveries } from '../store/deliveries.ts';
import type { ConnectorMetrics } from './connector-metrics.ts';

/** What the consumers of every connector work with. */
export type ConnectorDeps = {
  /** The service's name: the consumer group. */
  readonly name: string;
  readonly bus: Pick<EventBus, 'publish'>;
  readonly db: Pick<UnitOfWork, 'transaction'>;
  readonly log: BusLog;
  readonly metrics: ConnectorMetrics;
  readonly connections: Connections;
  readonly hooks: ConnectorHooks;
  readonly deliveries: Deliveries;
  readonly health: Pick<HealthReports, 'note'>;
  readonly mediaStore: MediaStore;
  readonly fileRoom: FileRoom;
  readonly runClient: RunClient;
  /** By connection. */
  readonly pace: Pace;
  /** By connection and contact. */
  readonly pairPace: Pace;
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<void>;
};
