import { eventCatalogue, newId, tenantIdSchema, type Envelope, type EventType, type PayloadInputOf, type Route, type TenantId, type TenantRouting } from '@switchboard/contracts';
import { createDatabase } from '@switchboard/db';
import type { Subscription } from '@switchboard/event-bus';
import { prepareServices } from '@switchboard/service-kit';
import { testKit } from '@switchboard/service-kit/testing';
import { currentTenant, runAsTenant } from '@switchboard/tenant-context';
import { startTestDatabase, testRolePassword } from '@switchboard/testing';
import { build } from '../src/app.ts';
import { service } from '../src/service.ts';
import { PrismaClient } from '../src/store/generated/client.ts';

export const acme = tenantIdSchema.parse('acme');
export const globex = tenantIdSchema.parse('globex');

/** Connections of one tenant: a WhatsApp number, a bot, a Genesys desk, and a Chatwoot inbox that no route names yet. */
export function makeTenant(tenantId: TenantId, route: Partial<Route> = {}) {
  const whatsapp = newId('con');
  const botpress = newId('con');
  const genesys = newId('con');
  const chatwoot = newId('con');
  const createdAt = '2026-11-01T00:00:00.000Z';
  const routing: TenantRouting = {
    version: 1,
    timeZone: 'America/Sao_Paulo',
    plan: 'enterprise',
    routes: [{ channelConnectionId: whatsapp, botConnectionId: null, deskConnectionId: genesys, startsWith: 'desk', settings: {}, ...route }],
    connections: [
      { connectionId: whatsapp, provider: 'whatsapp', role: 'channel', status: 'active', createdAt },
      { connectionId: botpress, provider: 'botpress', role: 'bot', status: 'active', createdAt },
      { connectionId: genesys, provider: 'genesys', role: 'desk', status: 'active', createdAt },
      { connectionId: chatwoot, provider: 'chatwoot', role: 'channel', status: 'active', createdAt },
    ],
  };
  return { tenantId, whatsapp, botpress, genesys, chatwoot, routing };
}

/** The Chatwoot inbox's conversations: a bot first, then the agents of Chatwoot itself. */
export function withOwnAgents(tenant: TestTenant): TestTenant {
  const route: Route = { channelConnectionId: tenant.chatwoot, botConnectionId: tenant.botpress, deskConnectionId: tenant.chatwoot, startsWith: 'bot', settings: {} };
  return { ...tenant, routing: { ...tenant.routing, routes: [...tenant.routing.routes, route] } };
}
export type TestTenant = ReturnType<typeof makeTenant>;

/** state-manager on a real database; what it publishes is recorded, tenant-service is answered by the test. */
export async function startState() {
  const database = await startTestDatabase();
  await prepareServices([service], { adminUrl: database.adminUrl, driver: 'embedded', rolePassword: testRolePassword });
  const db = createDatabase({ url: database.url('switchboard_state'), schema: 'state', connectionsMax: 8, createClient: (adapter) => new PrismaClient({ adapter }) });
  const clock = { now: new Date('2026-11-21T12:00:00.000Z') };
  const tenants = new Map<TenantId, TestTenant>();
  const tenantService = { away: false };
  const kit = testKit({
    name: 'state-manager' as const,
    config: { conversationIdleHours: 72, earlyStatusHours: 24 },
    db,
    now: () => clock.now,
    answer: () => {
      if (tenantService.away) throw new Error('tenant-service is away');
      return tenants.get(currentTenant())?.routing ?? { version: 0, timeZone: 'UTC', plan: 'enterprise', routes: [], connections: [] };
    },
  });
  const parts = await build(kit);

  async function consume<T extends EventType>(tenantId: TenantId, type: T, payload: PayloadInputOf<T>, attempt = 1): Promise<void> {
    const event = { eventId: newId('evt'), type, version: 1, tenantId, occurredAt: clock.now.toISOString(), orderingKey: 'k', payload: eventCatalogue[type].schema.parse(payload) } as Envelope<T>; // parsed as the bus parses it
    const consumer = parts.consumers?.find((subscription: Subscription) => subscription.type === type);
    if (consumer === undefined) throw new Error(`nobody listens to ${type}`);
    await runAsTenant(tenantId, () =>
      db.transaction(() => consumer.handle(event as Envelope, { attempt, signal: new AbortController().signal, commit: (effect) => effect() })),
    );
  }

  return {
    db,
    clock,
    kit,
    parts,
    tenants,
    tenantService,
    consume,
    /** With the word that its routes changed, so that the copy of before is dropped. */
    async addTenant(tenant: TestTenant): Promise<TestTenant> {
      tenants.set(tenant.tenantId, tenant);
      await consume(tenant.tenantId, 'routes.changed', { version: 1 });
      return tenant;
    },
    /** Rows as the tenant sees them. */
    rows: <Row extends object>(tenantId: TenantId, text: string, values: readonly unknown[] = []): Promise<Row[]> => runAsTenant(tenantId, () => db.transaction(() => db.sql.query<Row>(text, values))),
    /** What was published since the last look, in order. */
    takePublished: () => kit.published.splice(0),
    async stop(): Promise<void> {
      await db.close();
      await database.drop();
    },
  };
}
export type TestState = Awaited<ReturnType<typeof startState>>;
