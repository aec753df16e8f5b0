import { createDataKeyStore, createPlatformBox, createSecretBox } from '@switchboard/secrets';
import type { Kit, ServiceParts } from '@switchboard/service-kit';
import { createTurns } from './accounts/create-turns.ts';
import type { AccountDependencies } from './accounts/dependencies.ts';
import { recheckByHand } from './accounts/recheck-by-hand.ts';
import { recheckDrafts } from './accounts/recheck-drafts.ts';
import type { Config } from './config.ts';
import { onAuditRecorded } from './consumers/on-audit-recorded.ts';
import { onUsageRecorded } from './consumers/on-usage-recorded.ts';
import { onConnectionHealth } from './consumers/on-connection-health.ts';
import { onTenantChanged } from './consumers/on-tenant-changed.ts';
import { onTenantErased } from './consumers/on-tenant-erased.ts';
import { checkPlatformConnections } from './platform/check-platform-connections.ts';
import { inSystem } from './platform/dependencies.ts';
import { tellAllTenants } from './platform/tell-tenants.ts';
import { createApiKeyRoute } from './routes/create-api-key.ts';
import { createPlatformConnectionRoute } from './routes/create-platform-connection.ts';
import { createTenantRoute } from './routes/create-tenant.ts';
import { exportAuditRoute } from './routes/export-audit.ts';
import { exportUsageRoute } from './routes/export-usage.ts';
import { deleteTenantRoute } from './routes/delete-tenant.ts';
import { deleteConnectionRoute } from './routes/delete-connection.ts';
import { deletePlatformConnectionRoute } from './routes/delete-platform-connection.ts';
import { endPreviousSecretsRoute } from './routes/end-previous-secrets.ts';
import { getApiKeyRoute } from './routes/get-api-key.ts';
import { getConnectionRoute } from './routes/get-connection.ts';
import { getEraseReceiptRoute } from './routes/get-erase-receipt.ts';
import { getPlatformConnectionRoute } from './routes/get-platform-connection.ts';
import { getRoutesRoute } from './routes/get-routes.ts';
import { getTenantRoute } from './routes/get-tenant.ts';
import { getUsageRoute } from './routes/get-usage.ts';
import { findCorsOriginRoute } from './routes/internal/find-cors-origin.ts';
import { findLegacyApiKeysRoute } from './routes/internal/find-legacy-api-keys.ts';
import { findWebhookConnectionsRoute } from './routes/internal/find-webhook-connections.ts';
import { getConnectionInternalRoute } from './routes/internal/get-connection.ts';
import { getRoutesInternalRoute } from './routes/internal/get-routes.ts';
import { listWebhookConnectionsRoute } from './routes/internal/list-webhook-connections.ts';
import { recordApiCallsRoute } from './routes/internal/record-api-calls.ts';
import { replaceConnectionInRoutesRoute } from './routes/internal/replace-connection-in-routes.ts';
import { resolveApiKeyRoute } from './routes/internal/resolve-api-key.ts';
import { resolveApiKeysRoute } from './routes/internal/resolve-api-keys.ts';
import { resolveTenantRoute } from './routes/internal/resolve-tenant.ts';
import { retireConnectionRoute } from './routes/internal/retire-connection.ts';
import { listAuditRoute } from './routes/list-audit.ts';
import { listApiKeysRoute } from './routes/list-api-keys.ts';
import { listConnectionsRoute } from './routes/list-connections.ts';
import { listPlatformConnectionsRoute } from './routes/list-platform-connections.ts';
import { listPlatformInboxesRoute } from './routes/list-platform-inboxes.ts';
import { listReachedLimitsRoute } from './routes/list-reached-limits.ts';
import { listTenantsRoute } from './routes/list-tenants.ts';
import { postCredentialsRoute } from './routes/post-credentials.ts';
import { putRoutesRoute } from './routes/put-routes.ts';
import { verifyAuditRoute } from './routes/verify-audit.ts';
import { revokeApiKeyRoute } from './routes/revoke-api-key.ts';
import { rotateApiKeyRoute } from './routes/rotate-api-key.ts';
import { rotateCredentialsRoute } from './routes/rotate-credentials.ts';
import { testConnectionRoute } from './routes/test-connection.ts';
import { updateConnectionRoute } from './routes/update-connection.ts';
import { updatePlatformConnectionRoute } from './routes/update-platform-connection.ts';
import { updateTenantRoute } from './routes/update-tenant.ts';
import { createApiKeyStore, type ApiKeyStore } from './store/api-keys.ts';
import { createAudit } from './store/audit.ts';
import { createAuditReader, type AuditReader } from './store/audit-reader.ts';
import { createConnectionHealthStore, type ConnectionHealthStore } from './store/connection-health.ts';
import { createConnectionStore } from './store/connections.ts';
import { createErasureStore, type ErasureStore } from './store/erasures.ts';
import type { PrismaClient } from './store/generated/client.ts';
import { createIdentifierStore } from './store/identifiers.ts';
import { createPlatformAudit, type PlatformAudit } from './store/platform-audit.ts';
import { createPlatformConnectionStore } from './store/platform-connections.ts';
import { createPreviousSecretStore } from './store/previous-secrets.ts';
import { createRouteStore } from './store/routes.ts';
import { createTenantFactsStore, type TenantFactsStore } from './store/tenant-facts.ts';
import { createTenantStore } from './store/tenants.ts';
import { createUsageStore, type UsageStore } from './store/usage.ts';
import { createWebhookConnectionStore, type WebhookConnectionStore } from './store/webhook-connections.ts';
import { eraseTenants } from './tenants/erase-tenants.ts';
import { dropOldUsageContacts } from './usage/drop-old-usage-contacts.ts';
import { createLimitMetrics } from './usage/limit-metrics.ts';

export type Dependencies = AccountDependencies & { readonly platformAudit: PlatformAudit; readonly health: ConnectionHealthStore; readonly apiKeys: ApiKeyStore; readonly auditReader: AuditReader; readonly tenantFacts: TenantFactsStore; readonly erasures: ErasureStore; readonly usage: UsageStore; readonly webhookConnections: WebhookConnectionStore };

export function build(kit: Kit<Config, PrismaClient>): ServiceParts {
  const deps = createDependencies(kit);
  return {
    routes: [
      createTenantRoute(deps),
      listTenantsRoute(deps),
      getTenantRoute(deps),
      updateTenantRoute(deps),
      deleteTenantRoute(deps),
      getEraseReceiptRoute(deps),
      createApiKeyRoute(deps),
      listApiKeysRoute(deps),
      getApiKeyRoute(deps),
      rotateApiKeyRoute(deps),
      revokeApiKeyRoute(deps),
      postCredentialsRoute(deps),
      listConnectionsRoute(deps),
      getConnectionRoute(deps),
      updateConnectionRoute(deps),
      rotateCredentialsRoute(deps),
      endPreviousSecretsRoute(deps),
      testConnectionRoute(deps),
      deleteConnectionRoute(deps),
      getRoutesRoute(deps),
      putRoutesRoute(deps),
      listAuditRoute(deps),
      exportAuditRoute(deps),
      verifyAuditRoute(deps),
      getUsageRoute(deps),
      exportUsageRoute(deps),
      listReachedLimitsRoute(deps),
      createPlatformConnectionRoute(deps),
      listPlatformConnectionsRoute(deps),
      getPlatformConnectionRoute(deps),
      updatePlatformConnectionRoute(deps),
      deletePlatformConnectionRoute(deps),
      listPlatformInboxesRoute(deps),
      getConnectionInternalRoute(deps),
      findWebhookConnectionsRoute(deps),
      listWebhookConnectionsRoute(deps),
      getRoutesInternalRoute(deps),
      replaceConnectionInRoutesRoute(deps),
      retireConnectionRoute(deps),
      resolveApiKeyRoute(deps),
      resolveApiKeysRoute(deps),
      findLegacyApiKeysRoute(deps),
      resolveTenantRoute(deps),
      findCorsOriginRoute(deps),
      recordApiCallsRoute(deps),
    ],
    erase: 'by-itself',
    consumers: [onTenantErased(deps), onTenantChanged(deps), onConnectionHealth(deps.health), onAuditRecorded(deps), onUsageRecorded({ ...deps, log: kit.log, limitMetrics: createLimitMetrics(kit.registry) })],
    tasks: [
      { name: 'recheck-drafts', cron: '* * * * *', run: () => recheckDrafts(deps, kit.log) },
      { name: 'recheck-by-hand', cron: '*/10 * * * *', run: () => recheckByHand(deps, kit.log) },
      { name: 'tell-of-platform-accounts', cron: '* * * * *', run: () => inSystem(() => tellAllTenants(deps)) },
      { name: 'check-platform-accounts', cron: '*/10 * * * *', run: () => checkPlatformConnections(deps, kit.log) },
      { name: 'erase-tenants', cron: '* * * * *', run: () => eraseTenants(deps, kit.log) },
      { name: 'drop-old-usage-contacts', cron: '51 3 * * *', run: () => dropOldUsageContacts({ ...deps, log: kit.log }) },
    ],
  };
}

export function createDependencies({ db, bus, egress, config, now, keyProvider }: Kit<Config, PrismaClient>): Dependencies {
  const secretBox = createSecretBox({ keyProvider, dataKeys: createDataKeyStore(db) });
  const connections = createConnectionStore(db, secretBox);
  const previousSecrets = createPreviousSecretStore(db, secretBox);
  const platformConnections = createPlatformConnectionStore(db, createPlatformBox(keyProvider));
  return {
    db,
    bus,
    egress,
    config,
    now,
    tenants: createTenantStore(db),
    apiKeys: createApiKeyStore(db),
    tenantFacts: createTenantFactsStore(db),
    erasures: createErasureStore(db),
    connections,
    platformConnections,
    platformAudit: createPlatformAudit(db),
    health: createConnectionHealthStore(db),
    previousSecrets,
    identifiers: createIdentifierStore(db),
    routes: createRouteStore(db),
    audit: createAudit(db),
    takeTurn: createTurns(),
    auditReader: createAuditReader(db),
    usage: createUsageStore(db),
    webhookConnections: createWebhookConnectionStore(db, { connections, previousSecrets, platformConnections }),
  };
}
