import type { DatabaseOptions } from '@switchboard/db';
import type { ServiceDefinition, ServiceName, ServiceParts, Kit } from '@switchboard/service-kit';
import { onEvent } from '@switchboard/event-bus';
import { currentTenant, runAsSystem } from '@switchboard/tenant-context';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClientRunner } from './connections/create-client-runner.ts';
import { createConnections, type Connections } from './connections/create-connections.ts';
import type { ConnectorDeps } from './consumers/connector-deps.ts';
import { createConnectorMetrics } from './consumers/connector-metrics.ts';
import { onMessageSend } from './consumers/on-message-send.ts';
import { onWebhookReceived } from './consumers/on-webhook-received.ts';
import { createHealthReports, type HealthReports } from './health/create-health-reports.ts';
import { createPace } from './domain/create-pace.ts';
import { createFileRoom } from './media/create-file-room.ts';
import { createMediaLinks } from './media/create-media-links.ts';
import { mediaBytesMax } from './media/load-with-room.ts';
import { createMediaStore, mediaConfig, type MediaConfig } from './media/create-media-store.ts';
import type { ConnectorDefinition } from './port.ts';
import { createDeliveries } from './store/deliveries.ts';

export type ConnectorServiceOptions = {
  readonly name: ServiceName;
  readonly port: number;
  readonly schema: string;
  /** Holds `schema.prisma` with the model `Delivery`, and the migrations. */
  readonly prismaDirectory: URL;
};

/** Longest wait in line for the connection's turn; beyond it the bus comes back later. */
const paceWaitMaxMs = 5_000;
/** Longest wait for one contact's turn: the contact's events wait in the bus, not in a handler. */
const pairWaitMaxMs = 1_000;

/**
 * Files in memory at once, of all connectors of the process. Sending holds a file about three times (as loaded, as a form, as written out):
 * with this it stays below a gigabyte. A tenant has half of it, so that one with slow or huge files leaves the others theirs.
 */
const fileRoom = createFileRoom({ bytesMax: 256 * 1024 * 1024, tenantBytesMax: Math.max(128 * 1024 * 1024, mediaBytesMax), waitMaxMs: 30_000 });

/** Providers report on a message for some days (WhatsApp repeats webhooks for 7, and reads come late). */
const deliveryLifeDays = 60;
/** Rows of one transaction: some hundredths of a second, far from the limit on statements. */
const deliveryBatchMax = 2_000;

/** Makes the service of a connector: its two consumers, its deliveries, nothing more. */
export function connectorService(definition: ConnectorDefinition, options: ConnectorServiceOptions): ServiceDefinition<typeof mediaConfig> {
  return {
    name: options.name,
    port: options.port,
    config: mediaConfig,
    database: { schema: options.schema, prismaDirectory: options.prismaDirectory, createClient: noClient },
    build: (kit) => buildConnector(definition, kit),
  };
}

/** The deliveries are reached by SQL on the open transaction alone; a Prisma client would only cost memory. */
const noClient: DatabaseOptions<unknown>['createClient'] = () => undefined;

function buildConnector(definition: ConnectorDefinition, kit: Kit<MediaConfig, unknown>): ServiceParts {
  const health = createHealthReports(kit);
  const { provider } = definition;
  const connections = createConnections({ ...kit, onToken: (connectionId, tokenExpiresAt) => health.note({ tenantId: currentTenant(), connectionId, provider }, { tokenExpiresAt }) });
  const deps = connectorDeps(definition, { connections, health }, kit);
  return {
    routes: [],
    consumers: [onWebhookReceived(definition, deps), onMessageSend(definition, deps), onConnectionChanged(definition, connections, kit.name)],
    erase: async () => ({ files: await deps.mediaStore.eraseAll() }),
    tasks: [{ name: 'delete-old-deliveries', cron: '17 3 * * *', run: () => deleteOldDeliveries(deps) }],
    onStart: async () => health.start(),
    onStop: () => health.stop(),
  };
}

function connectorDeps(definition: ConnectorDefinition, { connections, health }: { readonly connections: Connections; readonly health: HealthReports }, kit: Kit<MediaConfig, unknown>): ConnectorDeps {
  const { config, now, egress } = kit;
  const mediaStore = createMediaStore(config);
  const mediaLinks = createMediaLinks({ secret: config.mediaUrlSecret, publicUrl: config.publicWebhookUrl, now });
  return {
    name: kit.name,
    bus: kit.bus,
    db: kit.db,
    log: kit.log,
    metrics: createConnectorMetrics(definition.provider, kit.registry),
    connections,
    health,
    deliveries: createDeliveries(kit.db),
    mediaStore,
    fileRoom,
    runClient: createClientRunner({ egress, connections, mediaStore, mediaLinks, fileRoom, now }),
    pace: createPace({ ...definition.pace, waitMaxMs: paceWaitMaxMs, now }),
    pairPace: createPace({ ...(definition.pairPace ?? definition.pace), waitMaxMs: pairWaitMaxMs, onlyAfterPause: true, now }),
    now,
    sleep,
  };
}

/** In batches: one statement for a busy day's rows would be ended by the limit on statements, the next day as well. */
async function deleteOldDeliveries({ db, deliveries }: ConnectorDeps): Promise<void> {
  await runAsSystem('retention of deliveries', async () => {
    while ((await db.transaction(() => deliveries.deleteOlderThan(deliveryLifeDays, deliveryBatchMax))) === deliveryBatchMax);
  });
}

function onConnectionChanged(definition: ConnectorDefinition, connections: Connections, group: string) {
  return onEvent({
    type: 'connection.changed',
    group,
    effect: 'idempotent',
    delivery: 'broadcast',
    async handle({ payload }) {
      if (payload.provider === definition.provider) connections.drop(payload.connectionId);
    },
  });
}
