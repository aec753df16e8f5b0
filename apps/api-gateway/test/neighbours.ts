import { provision } from '@switchboard/db';
import { installBus, type EventBus } from '@switchboard/event-bus';
import { defineRouteContract, findLegacyApiKeys, generateApiKey, hubError, memberIdSchema, newId, recordApiCalls, resolveApiKey, resolveApiKeys, resolveTenant, verifyToken, type ResolvedApiKey, type TenantFacts, type TenantId, type TokenHolder } from '@switchboard/contracts';
import { defineRoute, defineService, startService, type RawRoute, type RunningService } from '@switchboard/service-kit';
import { testEnvironment } from '@switchboard/service-kit/testing';
import { currentTenant, runAsTenant } from '@switchboard/tenant-context';
import { startTestDatabase, testRolePassword } from '@switchboard/testing';
import { z } from 'zod';
import { service } from '../src/service.ts';
import { tokenText } from './token-text.ts';

export { tokenText };

export type KnownKey = Omit<ResolvedApiKey, 'keyId' | 'tenant'>;

/** The gateway before a tenant-service, an auth-service and a state-manager of a few lines, all on free ports. */
export type Neighbours = {
  readonly url: string;
  /** More gateways beside the first, with the same variables. */
  readonly gatewayUrls: readonly string[];
  /** Makes a key that tenant-service knows, of a tenant that is made with it unless it is there. */
  addKey(known: Partial<KnownKey> & { readonly tenantId: TenantId }): string;
  /** Makes or changes a tenant; no event. */
  setTenant(tenantId: TenantId, facts?: Partial<TenantFacts>): void;
  /** Makes a token of the right form that auth-service knows: `holder` undefined for one it does not. */
  addToken(holder: TokenHolder | undefined): string;
  /** Without the event when `silently`. */
  revoke(apiKey: string, how?: 'silently'): Promise<void>;
  /** auth-service knows the member's tokens no more. Without the event when `silently`. */
  disable(member: { readonly tenantId: TenantId; readonly subject: string }, how?: 'silently'): Promise<void>;
  /** Changes the tenant's facts and says so on the bus. Without the event when `silently`. */
  change(tenantId: TenantId, facts: Partial<TenantFacts>, how?: 'silently'): Promise<void>;
  /** API calls that tenant-service was told of. */
  apiCallsOf(tenantId: TenantId): number;
  /** How often tenant-service or auth-service was asked about a key, a token or a tenant. */
  readonly lookUpsOf: (asked: string) => number;
  /** Requests as state-manager saw them. */
  readonly seen: { readonly method: string; readonly url: string; readonly headers: NodeJS.Dict<string | string[]> }[];
  readonly stopStateManager: () => Promise<void>;
  readonly stopTenantService: () => Promise<void>;
  stop(): Promise<void>;
};

const whoAmI = defineRouteContract({
  method: 'GET',
  path: '/state/stats',
  summary: 'Whose call this is',
  auth: 'key',
  scopes: ['state:read'],
  reply: { status: 200, schema: z.object({ tenant: z.string(), subject: z.string(), scopes: z.array(z.string()) }) },
});

const echo = defineRouteContract({
  method: 'POST',
  path: '/state/mapping',
  summary: 'What was sent',
  auth: 'key',
  scopes: ['state:write'],
  body: z.object({ text: z.string() }),
  reply: { status: 201, schema: z.object({ text: z.string() }) },
});

export async function startNeighbours(variables: Record<string, string> = {}, gatewayCount = 1): Promise<Neighbours> {
  const keys = new Map<string, KnownKey & { readonly keyId: string; readonly tenantId: TenantId }>();
  const tenants = new Map<TenantId, TenantFacts>();
  const tokens = new Map<string, TokenHolder>();
  const batches = new Map<string, readonly { readonly tenantId: TenantId; readonly count: number }[]>();
  const seen: Neighbours['seen'] = [];
  const lookUps: string[] = [];
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
            lookUps.push(body.apiKey);
            const found = keys.get(body.apiKey);
            const tenant = found === undefined ? undefined : tenants.get(found.tenantId);
            if (found === undefined || tenant === undefined) throw hubError('auth.missing');
            const { tenantId: _, ...known } = found;
            return { ...known, tenant };
          }),
          defineRoute(resolveApiKeys, ({ body }) => {
            lookUps.push(...body.apiKeys);
            return { keys: body.apiKeys.map((apiKey) => keys.get(apiKey) ?? null), tenants: [...tenants.values()] };
          }),
          defineRoute(recordApiCalls, async ({ body }) => void batches.set(body.batchId, body.calls)),
          defineRoute(findLegacyApiKeys, () => ({ any: false })),
          defineRoute(resolveTenant, ({ body }) => {
            lookUps.push('tenantId' in body ? body.tenantId : body.subdomain);
            const isMeant = (facts: TenantFacts) => ('tenantId' in body ? facts.tenantId === body.tenantId : facts.subdomain === body.subdomain);
            return { tenant: [...tenants.values()].find(isMeant) ?? null };
          }),
        ],
      }),
    }),
    testEnvironment({ ...busVariables, DATABASE_URL: database.url('switchboard_tenant') }),
  );
  const authService = await startService(
    defineService({
      name: 'auth-service',
      port: 0,
      config: z.object({}),
      build: () => ({
        routes: [
          defineRoute(verifyToken, ({ body }) => {
            lookUps.push(body.token);
            const holder = tokens.get(body.token);
            if (holder === undefined) throw hubError('auth.missing');
            return holder;
          }),
        ],
      }),
    }),
    testEnvironment(),
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
  const environment = testEnvironment({ TENANT_SERVICE_URL: tenantService.url, AUTH_SERVICE_URL: authService.url, STATE_MANAGER_URL: stateManager.url, UPSTREAM_TIMEOUT_MS: '400', ...busVariables, ...variables });
  const gateways = await Promise.all(Array.from({ length: gatewayCount }, () => startService(service, environment)));

  const setTenant: Neighbours['setTenant'] = (tenantId, facts = {}) => {
    const known = tenants.get(tenantId) ?? { tenantId, status: 'active', plan: 'starter', rateLimit: 100, subdomain: null, corsOrigins: [] };
    tenants.set(tenantId, { ...known, ...facts });
  };
  const publishAs = (tenantId: TenantId, publish: (to: EventBus) => Promise<unknown>) => runAsTenant(tenantId, async () => void (bus === undefined ? undefined : await publish(bus)));
  const all: RunningService[] = [...gateways, stateManager, authService, tenantService];
  return {
    url: gateways[0]?.url ?? '',
    gatewayUrls: gateways.map(({ url }) => url),
    setTenant,
    addKey: (known) => {
      const keyId = newId('key');
      const apiKey = generateApiKey(keyId);
      if (!tenants.has(known.tenantId)) setTenant(known.tenantId);
      keys.set(apiKey, { scopes: ['state:read', 'state:write'], expiresAt: null, cidrs: [], rateLimit: null, ...known, keyId });
      return apiKey;
    },
    addToken: (holder) => {
      const token = tokenText({ exp: Math.floor(Date.parse(holder?.expiresAt ?? '2100-01-01T00:00:00Z') / 1000), jti: newId('ses') });
      if (holder !== undefined) tokens.set(token, holder);
      return token;
    },
    revoke: async (apiKey, how) => {
      const known = keys.get(apiKey);
      keys.delete(apiKey);
      if (known === undefined || how === 'silently') return;
      await publishAs(known.tenantId, (to) => to.publish('api_key.changed', { keyId: known.keyId, status: 'revoked' }, { orderingKey: known.keyId }));
    },
    disable: async ({ tenantId, subject }, how) => {
      for (const [token, holder] of tokens) if (holder.subject === subject) tokens.delete(token);
      if (how === 'silently') return;
      await publishAs(tenantId, (to) => to.publish('member.changed', { memberId: memberIdSchema.parse(subject), status: 'disabled', role: 'agent' }, { orderingKey: subject }));
    },
    change: async (tenantId, facts, how) => {
      setTenant(tenantId, facts);
      const { status, rateLimit, plan } = tenants.get(tenantId) ?? { status: 'deleted', rateLimit: 1, plan: 'starter' };
      if (how === 'silently') return;
      await publishAs(tenantId, (to) => to.publish('tenant.changed', { status, rateLimit, plan, timeZone: 'UTC', reason: 'test' }, { orderingKey: tenantId }));
    },
    apiCallsOf: (tenantId) => [...batches.values()].flat().reduce((sum, call) => sum + (call.tenantId === tenantId ? call.count : 0), 0),
    lookUpsOf: (asked) => lookUps.filter((one) => one === asked).length,
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
      pattern: /^\/state\/conversations\/cnv_1\/messages$/,
      handle: (request, response) => {
        seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers });
        response.writeHead(200, { 'content-type': 'text/plain', 'x-of-state': 'yes', 'x-frame-options': 'ALLOW' }).end('seen');
      },
    },
    { method: 'GET', pattern: /^\/state\/mapping\/late$/, handle: () => undefined },
    { method: 'GET', pattern: /^\/state\/mapping\/broken$/, handle: (request) => void request.socket.destroy() },
    {
      method: 'GET',
      pattern: /^\/state\/mapping\/large$/,
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
