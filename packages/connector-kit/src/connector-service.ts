import type { DatabaseOptions } from '@switchboard/db';
import type { ServiceDefinition, ServiceName, ServiceParts, Kit } from '@switchboard/service-kit';
import { onEvent } from '@switchboard/event-bus';
import { runAsSystem } from '@switchboard/tenant-context';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClientContext } from './connections/create-client-context.ts';
import { createConnections, type Connections } from './connections/create-connections.ts';
import type { ConnectorDeps } from './consumers/connector-deps.ts';
import { onMessageSend } from './consumers/on-message-send.ts';
import { onWebhookReceived } from './consumers/on-webhook-received.ts';
import { createPace } from './domain/create-pace.ts';
import { createMediaLinks } from './media/create-media-links.ts';
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

/** Providers report on a message for some days (WhatsApp repeats webhooks for 7, and reads come late). */
const deliveryLifeDays = 60;

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
  const connections = createConnections(kit);
  const deps = connectorDeps(definition, connections, kit);
  return {
    routes: [],
    consumers: [onWebhookReceived(definition, deps), onMessageSend(definition, deps), onConnectionChanged(definition, connections, kit.name)],
    tasks: [{ name: 'delete-old-deliveries', cron: '17 3 * * *', run: () => deleteOldDeliveries(deps) }],
  };
}

function connectorDeps(definition: ConnectorDefinition, connections: Connections, kit: Kit<MediaConfig, unknown>): ConnectorDeps {
  const { config, now, egress } = kit;
  const mediaStore = createMediaStore(config);
  const mediaLinks = createMediaLinks({ secret: config.mediaUrlSecret, publicUrl: config.publicWebhookUrl, now });
  return {
    name: kit.name,
    bus: kit.bus,
    db: kit.db,
    log: kit.log,
    connections,
    deliveries: createDeliveries(kit.db),
    mediaStore,
    clientContext: (connection) => createClientContext(connection, { egress, connections, mediaStore, mediaLinks, now }),
    pace: createPace({ ...definition.pace, waitMaxMs: paceWaitMaxMs, now }),
    pairPace: createPace({ ...(definition.pairPace ?? definition.pace), waitMaxMs: pairWaitMaxMs, onlyAfterPause: true, now }),
    now,
    sleep,
  };
}

async function deleteOldDeliveries({ db, deliveries }: ConnectorDeps): Promise<void> {
  await runAsSystem('retention of deliveries', () => db.transaction(() => deliveries.deleteOlderThan(deliveryLifeDays)));
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
