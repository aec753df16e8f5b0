import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { endOfMonth, monthAt, newId, tenantIdSchema, type ConversationId, type MappingView, type MessageView, type Plan, type Problem, type TenantId } from '@switchboard/contracts';
import { createDatabase, type Database } from '@switchboard/db';
import { createEventBus, type EventBus } from '@switchboard/event-bus';
import { prepareServices, startService, type RunningService } from '@switchboard/service-kit';
import { keyHeaders, testEnvironment } from '@switchboard/service-kit/testing';
import { runAsTenant } from '@switchboard/tenant-context';
import { startTestDatabase, testRolePassword, type TestDatabase } from '@switchboard/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import { fromContact } from '../../test/messages.ts';
import { makeTenant, type TestTenant } from '../../test/start-state.ts';
import { startTenantService } from '../../test/start-tenant-service.ts';
import { service } from '../service.ts';
import { PrismaClient } from '../store/generated/client.ts';

const timeZone = 'America/Sao_Paulo';
const tenants = new Map<TenantId, TestTenant>();
let database: TestDatabase;
let tenantService: Awaited<ReturnType<typeof startTenantService>>;
/** Two processes of the service, as far as they know: each with connections, copies and turns of its own. */
let nodes: RunningService[];
/** Of the superuser, for whom no policy holds. */
let behind: Database<PrismaClient>;
let db: Database<PrismaClient>;
let bus: EventBus;

beforeAll(async () => {
  database = await startTestDatabase();
  await prepareServices([service], { adminUrl: database.adminUrl, driver: 'embedded', rolePassword: testRolePassword });
  tenantService = await startTenantService((tenantId) => tenants.get(tenantId)?.routing ?? { version: 0, timeZone, plan: 'starter', routes: [], connections: [] });
  const variables = { DATABASE_URL: database.url('switchboard_state'), BUS_DATABASE_URL: database.url('switchboard_bus'), TENANT_SERVICE_URL: tenantService.url };
  nodes = await Promise.all([1, 2].map(() => startService(service, testEnvironment(variables))));
  behind = createDatabase({ url: database.adminUrl, schema: 'state', connectionsMax: 2, createClient: (adapter) => new PrismaClient({ adapter }) });
  db = createDatabase({ url: database.url('switchboard_state'), schema: 'state', connectionsMax: 2, createClient: (adapter) => new PrismaClient({ adapter }) });
  const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
  bus = createEventBus({ driver: 'embedded', service: 'test', unitOfWork: db, busUrl: database.url('switchboard_bus'), log: silent });
  await bus.start();
}, 60_000);
afterAll(async () => {
  await Promise.all((nodes ?? []).map((node) => node.stop()));
  await bus?.stop();
  await Promise.all([db?.close(), behind?.close()]);
  await tenantService?.stop();
  await database?.drop();
});

let tenantId: TenantId;
let tenant: TestTenant;
let count = 0;
beforeEach(() => {
  tenantId = tenantIdSchema.parse(`tenant-${++count}`);
  tenant = makeTenant(tenantId);
  tenants.set(tenantId, tenant);
  setPlan('starter');
});
/** From the next look-up on. */
function setPlan(plan: Plan): void {
  tenant.routing.plan = plan;
}

const query = <Row extends object>(text: string, values: readonly unknown[] = []) => runAsTenant(tenantId, () => behind.transaction(() => behind.sql.query<Row>(text, values)));
const stored = async (direction: string) => (await query<{ count: number }>('select count(*)::int as count from messages where tenant_id = $1 and direction = $2', [tenantId, direction]))[0]?.count;
const thisMonth = () => monthAt(new Date(), timeZone).month;
/** As if so many messages had been sent. */
const use = (messages: number) => query(`insert into usage_counters (tenant_id, month, channel, direction, slot, messages, media_bytes) values ($1, $2, 'whatsapp', 'outbound', 0, $3, 0)`, [tenantId, thisMonth(), messages]);

type Answer<T> = { readonly status: number; readonly headers: Headers; readonly json: T };
let turn = 0;
async function call<T>(path: string, body: unknown, headers: Record<string, string> = {}, as = tenantId): Promise<Answer<T>> {
  // To either process in turn.
  const { url } = nodes[turn++ % nodes.length] as RunningService; // there are two
  const response = await fetch(`${url}${path}`, { method: 'POST', headers: { ...keyHeaders('state-manager', as), 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });
  return { status: response.status, headers: response.headers, json: (await response.json()) as T };
}
const send = (conversationId: ConversationId, headers: Record<string, string> = {}) => call<MessageView & Problem>(`/state/conversations/${conversationId}/messages`, { text: 'your parcel is here' }, headers);

async function converse(many: number): Promise<ConversationId[]> {
  const made = await Promise.all(Array.from({ length: many }, (_, index) => call<MappingView>('/state/mapping', { waId: `1500556${1000 + index}` })));
  await query('update conversations set last_inbound_at = now() where tenant_id = $1', [tenantId]);
  return made.map(({ json }) => json.conversationId);
}

/** So many sends at once, over all conversations; how many were answered with each status. */
async function sendMany(many: number, conversations: readonly ConversationId[]): Promise<Record<number, number>> {
  const answers = await Promise.all(Array.from({ length: many }, (_, index) => send(conversations[index % conversations.length] as ConversationId))); // there is one
  return answers.reduce<Record<number, number>>((seen, { status }) => ({ ...seen, [status]: (seen[status] ?? 0) + 1 }), {});
}

describe('the monthly limit of a plan', () => {
  it('lets in 1 000 of 1 500 sends that come at once to two processes, from the first message of the month on', async () => {
    expect(await sendMany(1_500, await converse(60))).toEqual({ 202: 1_000, 429: 500 });
    expect(await stored('outbound')).toBe(1_000);
  }, 60_000);

  it('answers over it how much of what is used, and when it resets; what was accepted before is still answered to its key', async () => {
    const [conversationId] = (await converse(1)) as [ConversationId];
    await use(999);
    const key = { 'idempotency-key': newId('req') };
    const accepted = await send(conversationId, key);
    expect(accepted.status).toBe(202);
    const { status, headers, json } = await send(conversationId);
    const resetsAt = endOfMonth(thisMonth(), timeZone);
    expect({ status, json }).toMatchObject({ status: 429, json: { error: 'Monthly limit exceeded', code: 'limit.monthly_exceeded', resetsAt: resetsAt.toISOString(), detail: expect.stringContaining(`1000 of 1000 messages of ${thisMonth()}`) } });
    expect(Math.abs(Number(headers.get('retry-after')) * 1_000 - (resetsAt.getTime() - Date.now()))).toBeLessThan(5_000);
    const again = await send(conversationId, key);
    expect(again).toMatchObject({ status: 202, json: { messageId: accepted.json.messageId } });
    expect(await stored('outbound')).toBe(1);
  });

  it('counts one message for each Idempotency-Key, though every send comes three times at once', async () => {
    const conversations = await converse(6);
    await use(980);
    const keys = Array.from({ length: 40 }, (_, index) => ({ key: newId('req'), conversationId: conversations[index % 6] as ConversationId })); // there are six
    const answers = await Promise.all(keys.flatMap((each) => [1, 2, 3].map(async () => ({ ...each, ...(await send(each.conversationId, { 'idempotency-key': each.key })) }))));
    const accepted = answers.filter(({ status }) => status === 202);
    expect(new Set(accepted.map(({ json }) => json.messageId)).size).toBe(20);
    expect(new Set(accepted.map(({ key }) => key)).size).toBe(20);
    expect(await stored('outbound')).toBe(20);
  });

  it('is one tenant\'s alone', async () => {
    const [theirs] = (await converse(1)) as [ConversationId];
    await use(1_000);
    expect((await send(theirs)).status).toBe(429);
    tenantId = tenantIdSchema.parse(`other-${count}`);
    tenant = makeTenant(tenantId);
    tenants.set(tenantId, tenant);
    setPlan('starter');
    const [ours] = (await converse(1)) as [ConversationId];
    expect((await send(ours)).status).toBe(202);
  });

  it('moves with the plan while messages are sent, and an enterprise has none', async () => {
    const conversations = await converse(8);
    await use(995);
    expect(await sendMany(20, conversations)).toEqual({ 202: 5, 429: 15 });
    setPlan('professional');
    await runAsTenant(tenantId, () => bus.publish('tenant.changed', { status: 'active', rateLimit: 100, timeZone, plan: 'professional', reason: 'test' }, { orderingKey: tenantId }));
    for (let waited = 0; waited < 5_000 && (await sendMany(2, conversations))[429] !== undefined; waited += 50) await sleep(50);
    const used = 995 + ((await stored('outbound')) ?? 0);
    await query(`update usage_counters set messages = messages + $2 where tenant_id = $1 and direction = 'outbound' and slot = 0`, [tenantId, 9_990 - used]);
    expect(await sendMany(30, conversations)).toEqual({ 202: 10, 429: 20 });
    setPlan('enterprise');
    await runAsTenant(tenantId, () => bus.publish('tenant.changed', { status: 'active', rateLimit: 100, timeZone, plan: 'enterprise', reason: 'test' }, { orderingKey: tenantId }));
    for (let waited = 0; waited < 5_000 && (await sendMany(2, conversations))[429] !== undefined; waited += 50) await sleep(50);
    expect(await sendMany(30, conversations)).toEqual({ 202: 30 });
  }, 30_000);

  it('never keeps a contact\'s message out, and counts it: what comes in while messages are sent leaves that much less to send', async () => {
    const conversations = await converse(10);
    await use(900);
    const comeIn = async () => {
      for (let index = 0; index < 60; index++) {
        const address = `1500557${1000 + (index % 12)}`;
        await runAsTenant(tenantId, () => bus.publish('message.received', fromContact(tenant, { contact: { address, aliases: {} } }), { orderingKey: address }));
      }
    };
    const [answers] = await Promise.all([sendMany(150, conversations), comeIn()]);
    for (let waited = 0; waited < 10_000 && (await stored('inbound')) !== 60; waited += 50) await sleep(50);
    expect(await stored('inbound')).toBe(60);
    const accepted = answers[202] ?? 0;
    expect(await stored('outbound')).toBe(accepted);
    expect(accepted).toBeGreaterThanOrEqual(40);
    expect(accepted).toBeLessThanOrEqual(100);
    expect(accepted + 60).toBeGreaterThanOrEqual(100);
    await runAsTenant(tenantId, () => bus.publish('message.received', fromContact(tenant), { orderingKey: 'last' }));
    for (let waited = 0; waited < 10_000 && (await stored('inbound')) !== 61; waited += 50) await sleep(50);
    expect((await query<{ used: number }>('select sum(messages)::int as used from usage_counters where tenant_id = $1', [tenantId]))[0]?.used).toBe(900 + accepted + 61);
    expect((await send(conversations[0] as ConversationId)).status).toBe(429); // there are ten
  }, 30_000);
});
