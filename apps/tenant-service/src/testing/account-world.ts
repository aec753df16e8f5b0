import { afterAll, beforeAll, beforeEach } from '@jest/globals';
import { isHubError, tenantIdSchema, type ConnectionId, type ConnectionRecord, type Role, type TenantId, type WebhookConnection } from '@switchboard/contracts';
import { createDatabase } from '@switchboard/db';
import { prepareServices } from '@switchboard/service-kit';
import { testKit } from '@switchboard/service-kit/testing';
import { runAsSystem, runAsTenant } from '@switchboard/tenant-context';
import { startTestDatabase, testRolePassword, type TestDatabase } from '@switchboard/testing';
import { connectAccount } from '../accounts/connect-account.ts';
import { recheckDrafts } from '../accounts/recheck-drafts.ts';
import { createDependencies, type Dependencies } from '../app.ts';
import { configSchema } from '../config.ts';
import { service } from '../service.ts';
import type { TenantDatabase } from '../store/client.ts';
import type { StoredConnection } from '../store/connections.ts';
import { PrismaClient } from '../store/generated/client.ts';
import { startFakeGenesys, startFakeMeta, type FakeGenesys, type FakeMeta } from './fake-providers.ts';

type Kit = ReturnType<typeof createKit>;

/** What the tests of connecting accounts stand in: two fresh tenants for each test, a database, fake providers, a clock that the test moves. */
export type AccountWorld = {
  acme: TenantId;
  globex: TenantId;
  kit: Kit;
  deps: Dependencies;
  meta: FakeMeta;
  genesys: FakeGenesys;
  now: Date;
};

const numbers = Array.from({ length: 60 }, (_, index) => `7001002003${String(index).padStart(3, '0')}`);
let nextNumber = 0;
let tenantCount = 0;

function createKit(db: TenantDatabase, now: () => Date) {
  const config = configSchema.parse({ apiKeyPepper: 'p'.repeat(32), publicWebhookUrl: 'https://hub.example.net', connectWaitMs: '500' });
  return testKit({ name: 'tenant-service', config, db, now });
}

/** Registers the hooks that build the world; its fields are there inside tests. */
export function useAccountWorld(): AccountWorld {
  // Filled by the hooks, before any test reads it.
  const world = {} as AccountWorld;
  let database: TestDatabase | undefined;
  let db: TenantDatabase;

  beforeAll(async () => {
    database = await startTestDatabase();
    await prepareServices([service], { adminUrl: database.adminUrl, driver: 'embedded', rolePassword: testRolePassword });
    db = createDatabase({ url: database.url('switchboard_tenant'), schema: 'tenant', connectionsMax: 5, createClient: (adapter) => new PrismaClient({ adapter }) });
    world.meta = await startFakeMeta(numbers);
    world.genesys = await startFakeGenesys();
  }, 60_000);

  afterAll(async () => {
    await Promise.all([world.meta?.close(), world.genesys?.close()]);
    await db?.close();
    await database?.drop();
  });

  beforeEach(async () => {
    world.now = new Date('2026-11-21T12:00:00Z');
    world.kit = createKit(db, () => world.now);
    world.deps = createDependencies(world.kit);
    Object.assign(world.meta, { down: false, token: 'meta-access-token' });
    Object.assign(world.genesys, { down: false, completesAfter: 0, clientSecret: 'genesys-client-secret' });
    world.meta.calls.length = 0;
    world.genesys.calls.length = 0;
    tenantCount += 1;
    world.acme = await createTenant(world, `acme-${tenantCount}`);
    world.globex = await createTenant(world, `globex-${tenantCount}`);
  });
  return world;
}

async function createTenant({ deps }: AccountWorld, id: string): Promise<TenantId> {
  const tenantId = tenantIdSchema.parse(id);
  await runAsTenant(tenantId, () => deps.tenants.insert({ name: id, subdomain: null, plan: 'starter', rateLimit: 100, metadata: {}, timeZone: null }));
  return tenantId;
}

type Form = { readonly type: string; readonly role?: Role; readonly credentials: Readonly<Record<string, unknown>> };

/** Credentials of a number that no other test uses. */
export function metaForm({ meta }: AccountWorld, more: object = {}) {
  const phoneNumberId = numbers[nextNumber++] ?? 'too few numbers';
  return { type: 'meta', credentials: { appSecret: 'meta-app-secret', verifyToken: 'meta-verify-token', accessToken: 'meta-access-token', phoneNumberId, apiBaseUrl: meta.url, ...more } };
}

export function genesysForm({ genesys }: AccountWorld, more: object = {}) {
  return { type: 'genesys', credentials: { clientId: 'client-1', clientSecret: 'genesys-client-secret', region: 'eu-central-1', apiBaseUrl: genesys.url, loginBaseUrl: genesys.url, ...more } };
}

/** Posts credentials as the tenant; `request` may watch, answer or spoil what goes out, whatever the address. */
export function connect({ deps }: AccountWorld, tenantId: TenantId, form: Form, request?: (real: Dependencies['egress'], ...call: Parameters<Dependencies['egress']['request']>) => ReturnType<Dependencies['egress']['request']>): Promise<ConnectionRecord> {
  const real = deps.egress;
  const egress = request === undefined ? real : { ...real, assertAllowed: async () => undefined, request: (call: Parameters<typeof real.request>[0]) => request(real, call) };
  return runAsTenant(tenantId, () => connectAccount({ ...deps, egress }, form));
}

export function codeOf(attempt: Promise<unknown>): Promise<string> {
  return attempt.then(
    () => 'accepted',
    (error: unknown) => (isHubError(error) ? error.code : String(error)),
  );
}

/** What ingest would learn of a connection now. */
export async function webhooksOf({ deps, now }: AccountWorld, connectionId: ConnectionId): Promise<WebhookConnection> {
  const [found] = await runAsSystem('test', () => deps.webhookConnections.find({ connectionIds: [connectionId], routingIdentifiers: [], handshake: undefined }, now));
  if (found === undefined) throw new Error('no such connection');
  return found;
}

export function show({ deps }: AccountWorld, tenantId: TenantId, connectionId: ConnectionId): Promise<StoredConnection | undefined> {
  return runAsTenant(tenantId, () => deps.connections.find(connectionId));
}

/** Lets time pass, then the periodic check run once. */
export async function recheckAfter(world: AccountWorld, minutes: number): Promise<void> {
  world.now = new Date(world.now.getTime() + minutes * 60_000);
  await recheckDrafts(world.deps, world.kit.log);
}
