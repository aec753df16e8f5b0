import { provision } from '@switchboard/db';
import { installBus, type EventBus } from '@switchboard/event-bus';
import { defineRouteContract, generateApiKey, hubError, newId, resolveApiKey, type ResolvedApiKey, type TenantId } from '@switchboard/contracts';
import { defineRoute, defineService, startService, type RawRoute, type RunningService } from '@switchboard/service-kit';
import { testEnvironment } from '@switchboard/service-kit/testing';
import { currentTenant, runAsTenant } from '@switchboard/tenant-context';
import { startTestDatabase, testRolePassword } from '@switchboard/testing';
import { z } from 'zod';
import { service } from '../src/service.ts';

export type KnownKey = Omit<ResolvedApiKey, 'keyId'>;

/** The gateway before a tenant-service and a state-manager of a few lines, all on free ports. */
export type Neighbours = {
  readonly url: string;
  /** Makes a key that tenant-service knows. */
  addKey(known: Partial<KnownKey> & { readonly tenantId: TenantId }): string;
  /** Without the event when `silently`. */
  revoke(apiKey: string, how?: 'silently'): Promise<void>;
  suspend(tenantId: TenantId): Promise<void>;
  /** How often tenant-service was asked. */
  readonly lookUps: () => number;
  /** Requests as state-manager saw them. */
  readonly seen: { readonly method: string; readonly url: string; readonly headers: NodeJS.Dict<string | string[]> }[];
  readonly stopStateManager: () => Promise<void>;
  readonly stopTenantService: () => Promise<void>;
  stop(): Promise<void>;
};

const whoAmI = defineRouteContract({
  method: 'GET',
  path: '/state/who',
  summary: 'Whose call this is',
  auth: 'key',
  scopes: ['state:read'],
  reply: { status: 200, schema: z.object({ tenant: z.string(), subject: z.string(), scopes: z.array(z.string()) }) },
});

const echo = defineRouteContract({
  method: 'POST',
  path: '/state/echo',
  summary: 'What was sent',
  auth: 'key',
  scopes: ['state:write'],
  body: z.object({ text: z.string() }),
  reply: { status: 201, schema: z.object({ text: z.string() }) },
});

export async function startNeighbours(variables: Record<string, string> = {}): Promise<Neighbours> {
  const keys = new Map<string, ResolvedApiKey>();
  const seen: Neighbours['seen'] = [];
  let lookUps = 0;
  let bus: EventBus | undefined;

  const database = await startTestDatabase();
  const tenantSchema = { service: 'tenant-service', schema: 'tenant', prismaDirectory: new URL('./none/', import.meta.url) };
  await provision({ adminUrl: database.adminUrl, services: [tenantSchema], rolePassword: testRolePassword });
  await installBus({ adminUrl: database.adminUrl, driver: 'embedded', services: [tenantSchema], rolePassword: testRolePassword });
  const busVariables = { BUS_DATABASE_URL: database.url('switchboard_bus') };

  const tenantService = await startService(
    defineService({
      name: 'tenant-service',
      port: 0,
      config: z.object({}),
      database: { ...tenantSchema, createClient: () => undefined },
      build: (kit) => ({
        onStart: async () => {
          bus = kit.bus;
        },
        routes: [
          defineRoute(resolveApiKey, ({ body }) => {
            lookUps++;
            const found = keys.get(body.apiKey);
            if (found === undefined) throw hubError('auth.missing');
            return found;
          }),
        ],
      }),
    }),
    testEnvironment({ ...busVariables, DATABASE_URL: database.url('switchboard_tenant') }),
  );
  const stateManager = await startService(
    defineService({
      name: 'state-manager',
      port: 0,
      config: z.object({}),
      build: () => ({
        routes: [
          defineRoute(whoAmI, ({ principal }) => ({ tenant: currentTenant(), ...(principal.kind === 'tenant' ? { subject: principal.subject, scopes: [...principal.scopes] } : { subject: '', scopes: [] }) })),
          defineRoute(echo, ({ body }) => body),
        ],
        rawRoutes: oddAnswers(seen),
      }),
    }),
    testEnvironment(),
  );
  const gateway = await startService(service, testEnvironment({ TENANT_SERVICE_URL: tenantService.url, STATE_MANAGER_URL: stateManager.url, UPSTREAM_TIMEOUT_MS: '400', ...busVariables, ...variables }));

  const all: RunningService[] = [gateway, stateManager, tenantService];
  return {
    url: gateway.url,
    addKey: (known) => {
      const keyId = newId('key');
      const apiKey = generateApiKey(keyId);
      keys.set(apiKey, { scopes: ['state:read', 'state:write'], expiresAt: null, tenantStatus: 'active', rateLimit: 100, ...known, keyId });
      return apiKey;
    },
    revoke: async (apiKey, how) => {
      const known = keys.get(apiKey);
      keys.delete(apiKey);
      if (known === undefined || how === 'silently') return;
      await runAsTenant(known.tenantId, () => bus?.publish('api_key.changed', { keyId: known.keyId, status: 'revoked' }, { orderingKey: known.keyId }));
    },
    suspend: async (tenantId) => {
      for (const [apiKey, known] of keys) if (known.tenantId === tenantId) keys.set(apiKey, { ...known, tenantStatus: 'suspended' });
      await runAsTenant(tenantId, () => bus?.publish('tenant.changed', { status: 'suspended', rateLimit: 100, timeZone: 'UTC', reason: 'test' }, { orderingKey: tenantId }));
    },
    lookUps: () => lookUps,
    seen,
    stopStateManager: stateManager.stop,
    stopTenantService: tenantService.stop,
    stop: async () => {
      for (const running of all) await running.stop();
      await database.drop();
    },
  };
}

function oddAnswers(seen: Neighbours['seen']): RawRoute[] {
  return [
    {
      method: '*',
      pattern: /^\/state\/headers$/,
      handle: (request, response) => {
        seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers });
        response.writeHead(200, { 'content-type': 'text/plain', 'x-of-state': 'yes', 'x-frame-options': 'ALLOW' }).end('seen');
      },
    },
    { method: 'GET', pattern: /^\/state\/late$/, handle: () => undefined },
    { method: 'GET', pattern: /^\/state\/broken$/, handle: (request) => void request.socket.destroy() },
    {
      method: 'GET',
      pattern: /^\/state\/large$/,
      handle: async (_, response) => {
        const chunk = Buffer.alloc(64 * 1024, 'x');
        for (let i = 0; i < 160; i++) {
          if (!response.write(chunk)) await new Promise((resolve) => response.once('drain', resolve));
        }
        response.end();
      },
    },
  ];
}
