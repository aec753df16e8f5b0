import { getConnectionInternal, getRoutesInternal, hubError, resolveTenant, type ConnectionId, type ConnectionWithSecrets, type TenantId } from '@switchboard/contracts';
import { defineRoute, defineService, startService, type RunningService } from '@switchboard/service-kit';
import { testEnvironment } from '@switchboard/service-kit/testing';
import { currentTenant } from '@switchboard/tenant-context';
import { z } from 'zod';

/** A tenant-service of a few lines: tenants that there are, and their bots. */
export type FakeTenantService = { readonly url: string; readonly tenants: Set<TenantId>; readonly connections: Map<ConnectionId, ConnectionWithSecrets>; readonly stop: () => Promise<void> };

export async function startFakeTenantService(known: readonly TenantId[]): Promise<FakeTenantService> {
  const tenants = new Set<TenantId>(known);
  const connections = new Map<ConnectionId, ConnectionWithSecrets>();
  const ofTenant = () => [...connections.values()].filter(({ tenantId }) => tenantId === currentTenant());
  const definition = defineService({
    name: 'tenant-service',
    port: 0,
    config: z.object({}),
    build: () => ({
      routes: [
        defineRoute(resolveTenant, ({ body }) => {
          const tenantId = 'tenantId' in body && tenants.has(body.tenantId) ? body.tenantId : undefined;
          return { tenant: tenantId === undefined ? null : { tenantId, status: 'active' as const, plan: 'starter' as const, rateLimit: 100, subdomain: null, corsOrigins: [] } };
        }),
        defineRoute(getRoutesInternal, () => ({
          version: 1,
          timeZone: 'UTC',
          plan: 'starter' as const,
          routes: [],
          connections: ofTenant().map(({ connectionId, provider, role, status }) => ({ connectionId, provider, role, status, createdAt: '2026-11-22T00:00:00.000Z' })),
        })),
        defineRoute(getConnectionInternal, ({ params }) => {
          const found = ofTenant().find(({ connectionId }) => connectionId === params.connectionId);
          if (found === undefined) throw hubError('connection.not_found');
          return found;
        }),
      ],
    }),
  });
  const running: RunningService = await startService(definition, testEnvironment());
  return { url: running.url, tenants, connections, stop: () => running.stop() };
}
