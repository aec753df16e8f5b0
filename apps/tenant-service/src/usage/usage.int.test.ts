import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { exportUsage, getUsage, listReachedLimits, monthAt, newId, providerIds, recordApiCalls, tenantIdSchema, type Envelope, type EventId, type PayloadInputOf, type PayloadOf, type ReachedLimit, type TenantId, type UsageView } from '@switchboard/contracts';
import { createDatabase } from '@switchboard/db';
import { createEventBus, onEvent, type EventBus } from '@switchboard/event-bus';
import { prepareServices, startService, type RunningService, type ServiceDefinition } from '@switchboard/service-kit';
import { adminHeaders, describeRoute, internalTokenHeaders, testEnvironment } from '@switchboard/service-kit/testing';
import { runAsTenant } from '@switchboard/tenant-context';
import { startTestDatabase, testRolePassword, testTenants, type TestDatabase } from '@switchboard/testing';
import { onUsageRecorded } from '../consumers/on-usage-recorded.ts';
import { service } from '../service.ts';
import { createAudit } from '../store/audit.ts';
import type { TenantDatabase } from '../store/client.ts';
import { PrismaClient } from '../store/generated/client.ts';
import { createUsageStore } from '../store/usage.ts';
import { dropOldUsageContacts } from './drop-old-usage-contacts.ts';

const definition: ServiceDefinition = service;
const month = '2026-11';
let database: TestDatabase;
let running: RunningService;
let db: TenantDatabase;
let behind: TenantDatabase;
let bus: EventBus;
const reached: { readonly tenantId: TenantId; readonly payload: PayloadOf<'plan_limit.reached'> }[] = [];

beforeAll(async () => {
  database = await startTestDatabase();
  await prepareServices([definition], { adminUrl: database.adminUrl, driver: 'embedded', rolePassword: testRolePassword });
  const environment = { DATABASE_URL: database.url('switchboard_tenant'), BUS_DATABASE_URL: database.url('switchboard_bus'), API_KEY_PEPPER: randomBytes(32).toString('hex'), PUBLIC_WEBHOOK_URL: 'https://hub.example.net/' };
  running = await startService(definition, testEnvironment(environment));
  const open = (url: string) => createDatabase({ url, schema: 'tenant', connectionsMax: 2, createClient: (adapter) => new PrismaClient({ adapter }) });
  [db, behind] = [open(database.url('switchboard_tenant')), open(database.adminUrl)];
  bus = createEventBus({ driver: 'embedded', service: 'test', unitOfWork: db, busUrl: database.url('switchboard_bus'), log: { info: () => undefined, warn: () => undefined, error: () => undefined } });
  bus.subscribe(onEvent({ type: 'plan_limit.reached', group: 'test', effect: 'idempotent', handle: async ({ tenantId, payload }) => void reached.push({ tenantId, payload }) }));
  await bus.start();
  for (const tenantId of testTenants) await create(tenantId);
}, 60_000);
afterAll(async () => {
  await running?.stop();
  await bus?.stop();
  await Promise.all([db?.close(), behind?.close()]);
  await database?.drop();
});

async function call(method: string, path: string, body?: unknown, headers = adminHeaders()): Promise<{ status: number; text: string; headers: Headers }> {
  const response = await fetch(`${running.url}${path}`, { method, headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) }, ...(body !== undefined && { body: JSON.stringify(body) }) });
  return { status: response.status, text: await response.text(), headers: response.headers };
}
const get = async <T>(path: string): Promise<T> => JSON.parse((await call('GET', path)).text) as T; // described by the contracts, which the kit has checked
const usageOf = (tenantId: TenantId, of = month) => get<UsageView>(`/tenants/${tenantId}/usage?month=${of}`);

async function create(tenantId: TenantId, more: object = {}): Promise<void> {
  const { status, text } = await call('POST', '/tenants', { tenantId, name: tenantId, ...more });
  if (status !== 201) throw new Error(text);
}

const tell = (tenantId: TenantId, usage: Partial<PayloadInputOf<'usage.recorded'>>, eventId?: EventId) =>
  runAsTenant(tenantId, () => bus.publish('usage.recorded', { month, ...usage }, { orderingKey: tenantId, ...(eventId === undefined ? {} : { eventId }) }));
const inbound = (count: number) => ({ messages: [{ channel: 'whatsapp' as const, direction: 'inbound' as const, count }] });

/** Waits until what was published is summed up. */
async function until<T>(read: () => Promise<T> | T, isThere: (value: T) => boolean): Promise<T> {
  for (let waited = 0; ; waited += 25) {
    const value = await read();
    if (isThere(value) || waited > 10_000) return value;
    await sleep(25);
  }
}

let count = 0;
let acme: TenantId;
let globex: TenantId;
beforeEach(async () => {
  count += 1;
  [acme, globex] = [tenantIdSchema.parse(`acme-${count}`), tenantIdSchema.parse(`globex-${count}`)];
  await create(acme, { timeZone: 'America/Sao_Paulo' });
  await create(globex, { plan: 'enterprise' });
});

const suite = { service: 'tenant-service', url: () => running.url, tenants: testTenants } as const;
const badMonth = { 'a month that does not exist': (input: object) => ({ ...input, query: { month: '2026-13' } }) };
describeRoute(getUsage, { ...suite, input: (tenantId) => ({ params: { tenantId } }), badInputs: badMonth });
describeRoute(exportUsage, { ...suite, input: () => ({ query: { month } }), badInputs: { ...badMonth, 'no month': () => ({}) } });
describeRoute(listReachedLimits, { ...suite, input: () => ({ query: { month } }), badInputs: { ...badMonth, 'a foreign cursor': () => ({ query: { month, cursor: 'x' } }) } });
const batch = () => ({ batchId: newId('evt'), calls: [{ tenantId: testTenants[0], count: 1, at: '2026-11-21T12:00:00.000Z' }] });
describeRoute(recordApiCalls, { ...suite, input: () => ({ body: batch() }), badInputs: { 'no batch id': () => ({ body: { ...batch(), batchId: '' } }), 'no call': () => ({ body: { ...batch(), calls: [] } }) } });

describe('the usage of a tenant', () => {
  it('is the sum of what was told of it, each event once however often it comes, and no other tenant\'s', async () => {
    const told = Array.from({ length: 40 }, (_, index) => ({ eventId: newId('evt'), contact: newId('ctc'), count: index + 1 }));
    const shared = newId('ctc');
    await Promise.all(
      [1, 2, 3].flatMap(() =>
        told.map(({ eventId, contact, count: messages }) =>
          tell(acme, { messages: [{ channel: 'whatsapp', direction: 'inbound', count: messages }, { channel: 'twilio', direction: 'outbound', count: 2 }], mediaBytes: 1_000, apiCalls: 3, contacts: [contact, shared] }, eventId),
        ),
      ),
    );
    await tell(globex, inbound(7));
    const sum = (40 * 41) / 2;
    await until(() => usageOf(acme), ({ messages }) => messages.inbound >= sum);
    await until(() => usageOf(globex), ({ messages }) => messages.total > 0);
    await sleep(200); // for what would be counted twice
    expect(await usageOf(acme)).toEqual({
      month,
      timeZone: 'America/Sao_Paulo',
      plan: 'starter',
      limit: 1_000,
      messages: {
        total: sum + 80,
        inbound: sum,
        outbound: 80,
        byChannel: [
          { channel: 'twilio', inbound: 0, outbound: 80 },
          { channel: 'whatsapp', inbound: sum, outbound: 0 },
        ],
      },
      apiCalls: 120,
      activeContacts: 41,
      mediaBytes: 40_000,
      resetsAt: '2026-12-01T03:00:00.000Z',
    });
    expect(await usageOf(globex)).toMatchObject({ plan: 'enterprise', limit: null, messages: { total: 7, inbound: 7, outbound: 0 }, activeContacts: 0 });
    expect(await usageOf(acme, '2026-10')).toMatchObject({ messages: { total: 0, byChannel: [] }, apiCalls: 0, activeContacts: 0, resetsAt: '2026-11-01T03:00:00.000Z' });
  });

  it('is what it was when a process dies while it sums up, and whole after the event comes again', async () => {
    const tells: string[] = [];
    let isDying = true;
    const publish: EventBus['publish'] = async (type) => {
      if (isDying) throw new Error('the process dies');
      tells.push(type);
      return newId('evt');
    };
    const consumer = onUsageRecorded({ usage: createUsageStore(db), audit: createAudit(db), bus: { publish }, now: () => new Date(), log: { warn: () => undefined }, limitMetrics: { reached: () => undefined } });
    const payload: PayloadOf<'usage.recorded'> = { month, ...inbound(850), mediaBytes: 10, apiCalls: 1, contacts: [newId('ctc')] };
    const event: Envelope = { eventId: newId('evt'), type: 'usage.recorded', version: 1, tenantId: acme, occurredAt: new Date().toISOString(), orderingKey: acme, payload };
    const consume = () => runAsTenant(acme, () => db.transaction(() => consumer.handle(event, { attempt: 1, signal: new AbortController().signal, commit: (effect) => effect() })));
    await expect(consume()).rejects.toThrow('dies');
    expect(await usageOf(acme)).toMatchObject({ messages: { total: 0 }, apiCalls: 0, mediaBytes: 0, activeContacts: 0 });
    isDying = false;
    await consume();
    expect(await usageOf(acme)).toMatchObject({ messages: { total: 850 }, apiCalls: 1, mediaBytes: 10, activeContacts: 1 });
    expect(tells).toEqual(['plan_limit.reached']);
  });

  it('stays when the contacts behind it are forgotten, two months later', async () => {
    for (const each of ['2026-10', '2026-11']) await tell(acme, { month: each, ...inbound(1), contacts: [newId('ctc'), newId('ctc')] });
    await until(() => usageOf(acme), ({ activeContacts }) => activeContacts === 2);
    await dropOldUsageContacts({ usage: createUsageStore(db), now: () => new Date('2027-01-31T12:00:00.000Z'), log: { info: () => undefined } });
    const kept = await runAsTenant(acme, () => db.transaction(() => db.sql.query<{ month: string }>('select distinct month from usage_contacts')));
    expect(kept).toEqual([{ month: '2026-11' }]);
    expect((await usageOf(acme, '2026-10')).activeContacts).toBe(2);
  });

  it('is of this month by the tenant\'s clocks when none is named', async () => {
    expect((await get<UsageView>(`/tenants/${acme}/usage`)).month).toBe(monthAt(new Date(), 'America/Sao_Paulo').month);
    expect((await call('GET', '/tenants/nobody/usage')).status).toBe(404);
  });

  it('is not kept of a tenant that does not exist', async () => {
    const gone = tenantIdSchema.parse('erased-tenant');
    await tell(gone, inbound(5));
    await tell(acme, inbound(1));
    await until(() => usageOf(acme), ({ messages }) => messages.total === 1);
    await sleep(200);
    expect(await runAsTenant(gone, () => behind.transaction(() => behind.sql.query('select from usage where tenant_id = $1', [gone])))).toEqual([]);
  });
});

describe('calls through the API', () => {
  const record = (body: unknown) => call('POST', '/internal/api-calls', body, internalTokenHeaders('tenant-service', undefined, 'api-gateway'));

  it('count once for a batch, however often it is sent, in the month of each tenant\'s clocks, and pass over tenants nobody knows', async () => {
    const body = {
      batchId: newId('evt'),
      calls: [
        { tenantId: acme, count: 5, at: '2026-12-01T02:59:59.999Z' },
        { tenantId: acme, count: 2, at: '2026-12-01T03:00:00.000Z' },
        { tenantId: acme, count: 1, at: '2026-11-30T12:00:00.000Z' },
        { tenantId: globex, count: 9, at: '2026-12-01T02:59:59.999Z' },
        { tenantId: 'nobody-knows', count: 4, at: '2026-12-01T02:59:59.999Z' },
      ],
    };
    const answers = await Promise.all([1, 2, 3].map(() => record(body)));
    expect(answers.map(({ status }) => status)).toEqual([204, 204, 204]);
    const read = async () => [(await usageOf(acme)).apiCalls, (await usageOf(acme, '2026-12')).apiCalls, (await usageOf(globex)).apiCalls, (await usageOf(globex, '2026-12')).apiCalls];
    await until(read, (calls) => calls.reduce((sum, each) => sum + each, 0) >= 17);
    expect((await record(body)).status).toBe(204);
    await record({ batchId: newId('evt'), calls: [{ tenantId: globex, count: 100, at: '2026-11-21T12:00:00.000Z' }] });
    await until(read, ([, , calls]) => (calls ?? 0) >= 100);
    expect(await read()).toEqual([6, 2, 100, 9]);
  });
});

describe('a plan\'s limit', () => {
  const reachedBy = (tenantId: TenantId) => reached.filter((each) => each.tenantId === tenantId).map(({ payload }) => [payload.threshold, payload.used, payload.limit]);
  const listed = async (tenantId: TenantId) => (await get<{ data: ReachedLimit[] }>(`/plan-limits?month=${month}&limit=200`)).data.filter((line) => line.tenantId === tenantId);

  it('tells tenant and platform at 80 and 100 per cent, once each, and of a larger plan anew', async () => {
    await tell(acme, inbound(799));
    await tell(globex, inbound(50_000));
    await until(() => usageOf(acme), ({ messages }) => messages.total === 799);
    expect(await listed(acme)).toEqual([]);
    await tell(acme, inbound(1));
    await tell(acme, inbound(50));
    await until(() => reachedBy(acme), ({ length }) => length === 1);
    expect(reachedBy(acme)).toEqual([[80, 800, 1_000]]);
    await tell(acme, inbound(600));
    await tell(acme, inbound(10));
    await until(() => usageOf(acme), ({ messages }) => messages.total === 1_460);
    await until(() => reachedBy(acme), ({ length }) => length === 2);
    expect(reachedBy(acme)).toEqual([[80, 800, 1_000], [100, 1_450, 1_000]]);
    await runAsTenant(acme, () => behind.transaction(() => behind.sql.query(`update tenants set plan = 'professional' where tenant_id = $1`, [acme])));
    await tell(acme, inbound(6_600));
    await until(() => reachedBy(acme), ({ length }) => length === 3);
    expect(reachedBy(acme)[2]).toEqual([80, 8_060, 10_000]);
    expect(await listed(acme)).toMatchObject([{ threshold: 80, limit: 1_000, used: 800 }, { threshold: 100, limit: 1_000, used: 1_450 }, { threshold: 80, limit: 10_000, used: 8_060, month, reachedAt: expect.any(String) }]);
    const audit = await runAsTenant(acme, () => db.transaction(() => db.sql.query<{ actor: string; facts: unknown }>(`select actor, facts from audit_entries where action = 'plan_limit.reached' order by sequence`)));
    expect(audit).toMatchObject([{ actor: 'hub', facts: { threshold: 80, used: 800, limit: 1_000, month } }, { facts: { threshold: 100 } }, { facts: { limit: 10_000 } }]);
    expect([reachedBy(globex), await listed(globex)]).toEqual([[], []]);
    expect(await (await fetch(`${running.metricsUrl}/metrics`)).text()).toMatch(/switchboard_plan_limits_reached_total\{threshold="80".*\} \d/);
  });

  it('is listed page by page', async () => {
    await tell(acme, inbound(1_000));
    await until(() => listed(acme), ({ length }) => length === 2);
    const seen: ReachedLimit[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: { data: ReachedLimit[]; nextCursor: string | null } = await get(`/plan-limits?month=${month}&limit=1${cursor === '' ? '' : `&cursor=${cursor}`}`);
      seen.push(...page.data);
      cursor = page.nextCursor;
    }
    expect(seen).toEqual((await get<{ data: ReachedLimit[] }>(`/plan-limits?month=${month}&limit=200`)).data);
  });
});

describe('the export for billing', () => {
  it('has a line for every tenant, also of thousands and of those that used nothing, and no cell that a spreadsheet would run', async () => {
    await runAsTenant(acme, () => behind.transaction(() => behind.sql.query(`insert into tenants (tenant_id, name, plan, rate_limit, metadata) select 'many-' || lpad(n::text, 5, '0'), '=cmd|calc, "x"', 'professional', 100, '{}' from generate_series(1, 2500) n`)));
    await tell(acme, { messages: [{ channel: 'whatsapp', direction: 'inbound', count: 3 }, { channel: 'whatsapp', direction: 'outbound', count: 2 }], mediaBytes: 12, apiCalls: 4, contacts: [newId('ctc')] });
    await until(() => usageOf(acme), ({ messages }) => messages.total === 5);
    const { text, headers } = await call('GET', `/usage.csv?month=${month}`);
    expect([headers.get('content-type'), headers.get('content-disposition')]).toEqual(['text/csv; charset=utf-8', `attachment; filename="usage-${month}.csv"`]);
    const lines = text.split('\r\n');
    expect(lines[0]).toBe(`tenant_id,name,status,plan,month,messages_limit,messages,${providerIds.map((provider) => `${provider}_inbound,${provider}_outbound`).join(',')},api_calls,active_contacts,media_bytes`);
    const channels = providerIds.map((provider) => (provider === 'whatsapp' ? '3,2' : '0,0')).join(',');
    expect(lines).toContain(`${acme},${acme},active,starter,${month},1000,5,${channels},4,1,12`);
    const zeros = `0,${providerIds.map(() => '0,0').join(',')},0,0,0`;
    expect(lines).toContain(`${globex},${globex},active,enterprise,${month},,${zeros}`);
    expect(lines.filter((line) => line === `many-02500,"'=cmd|calc, ""x""",active,professional,${month},10000,${zeros}`)).toHaveLength(1);
    const [tenants] = await runAsTenant(acme, () => behind.transaction(() => behind.sql.query<{ count: number }>('select count(*)::int as count from tenants')));
    expect(lines).toHaveLength((tenants?.count ?? 0) + 2);
    expect(new Set(lines).size).toBe(lines.length);
  });
});
