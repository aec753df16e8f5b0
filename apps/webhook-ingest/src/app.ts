import { createHealthReports, createMediaLinks, createMediaStore } from '@switchboard/connector-kit';
import { providers, type ProviderEntry } from '@switchboard/providers';
import { createDataKeyStore, createSecretBox } from '@switchboard/secrets';
import type { Kit, ServiceParts } from '@switchboard/service-kit';
import { createAcceptWebhook } from './accept/accept-webhook.ts';
import { createBodyReader } from './accept/create-body-reader.ts';
import { createGroupedWork } from './accept/create-grouped-work.ts';
import { createIntakeLimiter } from './accept/create-intake-limiter.ts';
import { createQuarantine } from './accept/create-quarantine.ts';
import { createUnknownAccounts } from './accept/create-unknown-accounts.ts';
import { createIngestMetrics } from './accept/ingest-metrics.ts';
import type { IngestConfig } from './config.ts';
import { createConnectionDirectory } from './connections/connection-directory.ts';
import { createConnectionSource } from './connections/connection-source.ts';
import { startSync } from './connections/keep-synced.ts';
import { onConnectionChanged } from './consumers/on-connection-changed.ts';
import { retentionTask } from './retention.ts';
import { answerHandshake } from './routes/answer-handshake.ts';
import { listQuarantineRoute } from './routes/list-quarantine.ts';
import { listUnknownAccountsRoute } from './routes/list-unknown-accounts.ts';
import { listWebhooksRoute } from './routes/list-webhooks.ts';
import { receiveWebhook } from './routes/receive-webhook.ts';
import { replayWebhooksRoute } from './routes/replay-webhooks.ts';
import { serveMedia } from './routes/serve-media.ts';
import { createConnectionStore } from './store/connections.ts';
import type { PrismaClient } from './store/generated/client.ts';
import { createQuarantineStore } from './store/quarantine.ts';
import { createUnknownAccountStore } from './store/unknown-accounts.ts';
import { createWebhookStore, type ReceivedWebhook } from './store/webhooks.ts';

/** Milliseconds until a provider is told to come again: it waits 10 s (Genesys) or less. */
const storeTimeoutMs = 5_000;

/** Bodies in memory over all connections: sixteen of the largest, or tens of thousands as they are mostly. */
const bodiesHeldMaxBytes = 64 * 1024 * 1024;

export function build(kit: Kit<IngestConfig, PrismaClient>): ServiceParts {
  const { config, db, bus, now } = kit;
  const secretBox = createSecretBox({ keyProvider: kit.keyProvider, dataKeys: createDataKeyStore(db) });
  const connections = createConnectionStore(db, secretBox);
  const webhooks = createWebhookStore(db, bus);
  const quarantine = createQuarantineStore(db);
  const metrics = createIngestMetrics(kit.registry);
  const source = createConnectionSource({ store: connections, callRoute: kit.callRoute });
  const directory = createConnectionDirectory({ store: connections, source, now: () => now().getTime() });

  const commits = createGroupedWork<ReceivedWebhook>({
    run: async (group) => {
      const stored = await webhooks.store(group);
      metrics.committed(group.length);
      metrics.count('all', 'stored', stored);
    },
    // One after the other: the larger the groups the less each costs (measured: two at once cost Postgres a quarter more), and what came first is published first.
    groupsAtOnceMax: 1,
    itemsMax: 1_000,
    weightOf: (webhook) => webhook.body.length,
    weightMax: 4 * 1024 * 1024,
    waitingWeightMax: 64 * 1024 * 1024,
    timeoutMs: storeTimeoutMs,
  });
  const health = createHealthReports({ bus, log: kit.log, now });
  const limiter = createIntakeLimiter({ perConnection: config.ingestRatePerConnection, perTenant: config.ingestRatePerTenant, now: () => now().getTime() });
  const unknownAccountStore = createUnknownAccountStore(db);
  const unknownAccounts = createUnknownAccounts({ store: unknownAccountStore, log: kit.log, now });
  const publicUrl = config.publicWebhookUrl;
  const accept = createAcceptWebhook({ directory, store: (parts) => commits.submit(parts), quarantine: createQuarantine(quarantine, now), limiter, unknownAccounts, metrics, health, now, publicUrl });

  const entries: readonly ProviderEntry[] = Object.values(providers);
  const receive = receiveWebhook({ accept, bodies: createBodyReader({ heldMaxBytes: bodiesHeldMaxBytes }), metrics, publicUrl });
  const links = createMediaLinks({ secret: config.mediaUrlSecret, publicUrl, now });
  let sync: ReturnType<typeof startSync> | undefined;

  return {
    rawRoutes: [...entries.flatMap(receive), ...entries.flatMap(answerHandshake(directory)), ...serveMedia({ links, store: createMediaStore(config) })],
    routes: [listWebhooksRoute(webhooks), replayWebhooksRoute(webhooks), listQuarantineRoute(quarantine), listUnknownAccountsRoute(unknownAccountStore)],
    consumers: onConnectionChanged(source, directory),
    tasks: [retentionTask({ webhooks, quarantine, unknownAccounts: unknownAccountStore, keptDays: config.webhookRetentionDays, now })],
    onStart: async () => {
      sync = startSync(source, kit.log);
      health.start();
      unknownAccounts.start();
    },
    onStop: async () => {
      await sync?.stop();
      await commits.drained();
      await health.stop();
      await unknownAccounts.stop();
    },
  };
}
