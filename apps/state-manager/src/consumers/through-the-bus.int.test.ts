import type { TenantRouting } from '@switchboard/contracts';
import { onEvent, createEventBus, type EventBus } from '@switchboard/event-bus';
import { createDatabase, type Database } from '@switchboard/db';
import { prepareServices, startService, type RunningService } from '@switchboard/service-kit';
import { testEnvironment } from '@switchboard/service-kit/testing';
import { runAsTenant } from '@switchboard/tenant-context';
import { startTestDatabase, testRolePassword, type TestDatabase } from '@switchboard/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { fromContact } from '../../test/messages.ts';
import { acme, globex, makeTenant, type TestTenant } from '../../test/start-state.ts';
import { startTenantService } from '../../test/start-tenant-service.ts';
import { service } from '../service.ts';
import { PrismaClient } from '../store/generated/client.ts';

const conversations = 10;
const messagesEach = 12;
const none: TenantRouting = { version: 0, timeZone: 'UTC', plan: 'enterprise', routes: [], connections: [] };
const tenants = new Map([acme, globex].map((tenantId) => [tenantId, makeTenant(tenantId)]));
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

let database: TestDatabase;
let tenantService: Awaited<ReturnType<typeof startTenantService>>;
let running: RunningService;
let db: Database<PrismaClient>;
let bus: EventBus;
/** What the desk's connector was ordered to send: tenant, contact, text. */
const ordered: { tenantId: string; address: string; text: string }[] = [];

beforeAll(async () => {
  database = await startTestDatabase();
  await prepareServices([service], { adminUrl: database.adminUrl, driver: 'embedded', rolePassword: testRolePassword });
  tenantService = await startTenantService((tenantId) => tenants.get(tenantId)?.routing ?? none);
  db = createDatabase({ url: database.url('switchboard_state'), schema: 'state', connectionsMax: 8, createClient: (adapter) => new PrismaClient({ adapter }) });
  bus = createEventBus({ driver: 'embedded', service: 'test', unitOfWork: db, busUrl: database.url('switchboard_bus'), log: silent });
  bus.subscribe(
    onEvent({
      type: 'message.send.genesys',
      group: 'test-desk',
      effect: 'idempotent',
      handle: async ({ tenantId, payload }) => {
        ordered.push({ tenantId, address: payload.contact.address, text: payload.content.kind === 'text' ? payload.content.text : '' });
      },
    }),
  );
  await bus.start();
  running = await startService(
    service,
    testEnvironment({ DATABASE_URL: database.url('switchboard_state'), BUS_DATABASE_URL: database.url('switchboard_bus'), TENANT_SERVICE_URL: tenantService.url }),
  );
}, 60_000);
afterAll(async () => {
  await running?.stop();
  await bus?.stop();
  await db?.close();
  await tenantService?.stop();
  await database?.drop();
});

/** Every message of every conversation, twice, the conversations mixed. */
async function publishAll(tenant: TestTenant): Promise<void> {
  for (let index = 0; index < messagesEach; index++) {
    for (let contact = 0; contact < conversations; contact++) {
      const address = addressOf(contact);
      const message = fromContact(tenant, { contact: { address, aliases: {} }, providerMessageId: `wamid.${contact}.${index}`, text: String(index) });
      for (const _ of [1, 2]) await bus.publish('message.received', message, { orderingKey: `${tenant.whatsapp} ${address}` });
    }
  }
}

function addressOf(contact: number): string {
  return `1500555${String(contact).padStart(4, '0')}`;
}

describe('messages of two tenants on the bus, each twice', () => {
  it('reach each tenant\'s desk once, in the order of their conversation', async () => {
    for (const [tenantId, tenant] of tenants) await runAsTenant(tenantId, () => db.transaction(() => publishAll(tenant)));
    const total = conversations * messagesEach * tenants.size;
    for (let waited = 0; ordered.length < total && waited < 20_000; waited += 50) await sleep(50);
    await sleep(200); // for what would come twice
    const inOrder = Array.from({ length: messagesEach }, (_, index) => String(index));
    for (const [tenantId] of tenants) {
      for (let contact = 0; contact < conversations; contact++) {
        const theirs = ordered.filter((order) => order.tenantId === tenantId && order.address === addressOf(contact));
        expect(theirs.map(({ text }) => text)).toEqual(inOrder);
      }
    }
    expect(ordered).toHaveLength(total);
  }, 40_000);
});
