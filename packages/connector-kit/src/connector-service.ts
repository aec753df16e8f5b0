import type { DatabaseOptions } from '@switchboard/db';
import type { ServiceDefinition, ServiceName, ServiceParts, Kit } from '@switchboard/service-kit';
import type { z } from 'zod';
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
import { publishInbound } from './consumers/publish-inbound.ts';
import type { MediaStore } from './media/media-store.ts';
import type { ConnectorDefinition, ConnectorHooks, ConnectorParts, ConnectorTools } from './port.ts';
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
  const { name, port } = options;
  return { name, port, config: mediaConfig, database: databaseOf(options, noClient), build: (kit) => buildConnector(kit, definition.provider, () => ({ definition })) };
}

export type ExtendedConnectorOptions<ConfigSchema extends typeof mediaConfig, Client> = ConnectorServiceOptions & {
  readonly provider: ConnectorDefinition['provider'];
  /** `mediaConfig.extend({ … })`. */
  readonly config: ConfigSchema;
  readonly createClient: DatabaseOptions<Client>['createClient'];
  readonly build: (kit: Kit<z.output<ConfigSchema>, Client>, tools: ConnectorTools) => ConnectorParts;
};

/** The service of a connector that keeps more than deliveries: with its own tables, routes, consumers, tasks and hooks. */
export function extendedConnectorService<ConfigSchema extends typeof mediaConfig, Client>(options: ExtendedConnectorOptions<ConfigSchema, Client>): ServiceDefinition<ConfigSchema, Client> {
  const { name, port, config, provider } = options;
  // The kit's variables are there: the schema extends mediaConfig.
  return { name, port, config, database: databaseOf(options, options.createClient), build: (kit) => buildConnector(kit as unknown as Kit<MediaConfig, unknown>, provider, (tools) => options.build(kit, tools)) };
}

function databaseOf<Client>({ schema, prismaDirectory }: ConnectorServiceOptions, createClient: DatabaseOptions<Client>['createClient']) {
  return { schema, prismaDirectory, createClient };
}

/** The deliveries are reached by SQL on the open transaction alone; a Prisma client would only cost memory. */
const noClient: DatabaseOptions<unknown>['createClient'] = () => undefined;

function buildConnector(kit: Kit<MediaConfig, unknown>, provider: ConnectorDefinition['provider'], buildParts: (tools: ConnectorTools) => ConnectorParts): ServiceParts {
  const health = createHealthReports(kit);
  const connections = createConnections({ ...kit, onToken: (connectionId, tokenExpiresAt) => health.note({ tenantId: currentTenant(), connectionId, provider }, { tokenExpiresAt }) });
  const tools = connectorTools(kit, connections);
  const { definition, hooks = {}, ...own } = buildParts(tools);
  const deps = connectorDeps(definition, { ...tools, health, hooks }, kit);
  return {
    ...own,
    routes: own.routes ?? [],
    consumers: [onWebhookReceived(definition, deps), onMessageSend(definition, deps), onConnectionChanged(definition, connections, kit.name), ...(own.consumers ?? [])],
    erase: async () => ({ files: await tools.mediaStore.eraseAll() }),
    tasks: [{ name: 'delete-old-deliveries', cron: '17 3 * * *', run: () => deleteOldDeliveries(deps) }, ...(own.tasks ?? [])],
    onStart: async () => {
      await own.onStart?.();
      health.start();
    },
    onStop: async () => {
      await own.onStop?.();
      await health.stop();
    },
  };
}

function connectorTools(kit: Kit<MediaConfig, unknown>, connections: Connections): ConnectorTools & { readonly mediaStore: MediaStore } {
  const { config, now, egress, bus } = kit;
  const mediaStore = createMediaStore(config);
  const mediaLinks = createMediaLinks({ secret: config.mediaUrlSecret, publicUrl: config.publicWebhookUrl, now });
  return {
    connections,
    mediaStore,
    runClient: createClientRunner({ egress, connections, mediaStore, mediaLinks, fileRoom, now }),
    publishInbound: (events, { cause, name, connection }) => publishInbound(events, { cause, name, connection }, bus),
  };
}

type Own = ConnectorTools & { readonly mediaStore: MediaStore; readonly health: HealthReports; readonly hooks: ConnectorHooks };

function connectorDeps(definition: ConnectorDefinition, { connections, runClient, mediaStore, health, hooks }: Own, kit: Kit<MediaConfig, unknown>): ConnectorDeps {
  const { now } = kit;
  return {
    name: kit.name,
    bus: kit.bus,
    db: kit.db,
    log: kit.log,
    metrics: createConnectorMetrics(definition.provider, kit.registry),
    connections,
    hooks,
    health,
    deliveries: createDeliveries(kit.db),
    mediaStore,
    fileRoom,
    runClient,
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
