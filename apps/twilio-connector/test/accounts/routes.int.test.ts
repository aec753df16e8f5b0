import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { getRoutesInternal, getTwilioUsage, listTwilioOptOuts, newId, type ConnectionWithSecrets, type TenantId, type TwilioUsage, type TwilioUsageKind } from '@switchboard/contracts';
import { startService, type RunningService, type ServiceDefinition } from '@switchboard/service-kit';
import { adminHeaders, describeRoute, keyHeaders, testEnvironment } from '@switchboard/service-kit/testing';
import { runAsTenant } from '@switchboard/tenant-context';
import { testTenants } from '@switchboard/testing';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { service } from '../../src/service.ts';
import { createOptOuts } from '../../src/store/opt-outs.ts';
import { createUsageItems } from '../../src/store/usage-items.ts';
import { connectionAt, sid, startDatabase } from './start-connector.ts';
import { startStandInTwilio, type StandInTwilio } from './stand-in-twilio.ts';

const [acme, globex] = testTenants;
const phoneNumber = '+15005550006';

let store: Awaited<ReturnType<typeof startDatabase>>;
let twilio: StandInTwilio;
let tenantService: Server;
let running: RunningService;
let connections: ConnectionWithSecrets[];

/** Whom an internal token speaks for; that it is genuine is tenant-service's to see. */
function tenantOf(request: IncomingMessage): TenantId {
  const token = Object.values(request.headers).find((value) => typeof value === 'string' && value.split('.').length === 3 && value.startsWith('ey'));
  const claims = JSON.parse(Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString('utf8')) as Record<string, unknown>; // a token's second part is its claims
  return testTenants.find((tenantId) => Object.values(claims).includes(tenantId)) ?? acme;
}

beforeAll(async () => {
  store = await startDatabase();
  twilio = await startStandInTwilio();
  const accounts = { first: sid('AC', 'a1'), second: sid('AC', 'a2'), theirs: sid('AC', 'b1') };
  for (const accountSid of Object.values(accounts)) twilio.open(accountSid, `token of ${accountSid}`);
  connections = [
    connectionAt(acme, { accountSid: accounts.first, phoneNumber, url: twilio.url }),
    connectionAt(acme, { accountSid: accounts.first, phoneNumber: '+15005550007', url: twilio.url }),
    connectionAt(acme, { accountSid: accounts.second, phoneNumber: '+15005550008', url: twilio.url }),
    { ...connectionAt(acme, { accountSid: sid('AC', 'a3'), phoneNumber: '+15005550009', url: twilio.url }), status: 'disabled' },
    connectionAt(globex, { accountSid: accounts.theirs, phoneNumber, url: twilio.url }),
  ];
  tenantService = createServer((request, response) => {
    const own = connections.filter(({ tenantId }) => tenantId === tenantOf(request));
    const url = request.url ?? '';
    const all = { version: 1, timeZone: 'UTC', plan: 'enterprise', routes: [], connections: own.map(({ connectionId, provider, role, status }) => ({ connectionId, provider, role, status, createdAt: '2026-11-21T12:00:00.000Z' })) };
    const one = own.find(({ connectionId }) => url.endsWith(connectionId));
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(url === getRoutesInternal.path ? all : one));
  });
  await new Promise<void>((resolve) => {
    tenantService.listen(0, '127.0.0.1', resolve);
  });
  const { port } = tenantService.address() as AddressInfo; // it listens on TCP
  running = await startService(
    // The cast drops the service's own config type.
    service as unknown as ServiceDefinition,
    testEnvironment({
      DATABASE_URL: store.database.url('switchboard_twilio'),
      BUS_DRIVER: 'embedded',
      BUS_DATABASE_URL: store.database.url('switchboard_bus'),
      TENANT_SERVICE_URL: `http://127.0.0.1:${port}`,
      MEDIA_URL_SECRET: 's'.repeat(32),
      MEDIA_DIR: tmpdir(),
      EGRESS_ALLOW: '127.0.0.0/8',
    }),
  );
}, 60_000);

afterAll(async () => {
  await running?.stop();
  tenantService?.closeAllConnections();
  tenantService?.close();
  await twilio?.close();
  await store?.close();
});

const suite = { service: 'twilio-connector', url: () => running.url, tenants: testTenants, input: (tenantId: TenantId) => ({ params: { tenantId } }) } as const;

describeRoute(getTwilioUsage, {
  ...suite,
  badInputs: {
    'a day that does not exist': (input) => ({ ...input, query: { from: '2026-02-30' } }),
    'an end before the beginning': (input) => ({ ...input, query: { from: '2026-11-22', to: '2026-11-21' } }),
    'more than 400 days': (input) => ({ ...input, query: { from: '2025-01-01', to: '2026-11-21' } }),
  },
});

describeRoute(listTwilioOptOuts, { ...suite, badInputs: { 'a foreign cursor': (input) => ({ ...input, query: { cursor: 'x' } }), 'page size 0': (input) => ({ ...input, query: { limit: 0 } }) } });

async function get<T>(tenantId: TenantId, path: string, headers = adminHeaders()): Promise<T> {
  const response = await fetch(`${running.url}/tenants/${tenantId}/twilio/${path}`, { headers });
  return (await response.json()) as T; // the contract's form, which the route's own test checks
}

describe('usage of subaccounts', () => {
  const record = (category: string, count: string | null, price: string, usage = count) => ({ category, count, usage, price, price_unit: 'usd', description: '', start_date: '2026-11-01', end_date: '2026-11-30' });
  const lineOf = (usage: TwilioUsage, kind: TwilioUsageKind, index = 0) => usage.subaccounts[index]?.lines.find((line) => line.kind === kind);

  beforeAll(async () => {
    const [first, , second, , theirs] = connections;
    const items = createUsageItems(store.db);
    const at = (day: string) => new Date(`${day}T12:00:00Z`);
    for (const [connection, day, count] of [[first, '2026-11-01', 3], [first, '2026-10-31', 5], [second, '2026-11-30', 1], [theirs, '2026-11-02', 7]] as const) {
      if (connection === undefined) throw new Error('both tenants have connections');
      const own = Array.from({ length: count }, (_, index) => ({ itemId: `${day}/${index}`, kind: 'sms_inbound' as const, units: 2, at: at(day) }));
      await runAsTenant(connection.tenantId, () => items.add({ connectionId: connection.connectionId, accountSid: connection.settings['accountSid'] ?? '' }, own));
    }
  });

  beforeEach(() => {
    for (const account of twilio.accounts.values()) {
      account.refusal = undefined;
      // More than a page of the stand-in; the category within another one, and fees of messages that are counted already, count for nothing of their own.
      account.usageRecords = [record('sms-inbound', '4', '0.0300', '8'), record('sms-inbound-longcode', '4', '0.0300', '8'), record('channels-whatsapp', '9', '0.1'), record('calls-inbound', '1', '0.0085', '2'), record('totalprice', null, '0.13850')];
    }
  });

  it('shows Twilio\'s records beside the hub\'s counts, each subaccount once, and what past the hub makes the difference', async () => {
    const asked = twilio.requests.length;
    const usage = await get<TwilioUsage>(acme, 'usage?from=2026-11-01&to=2026-11-30');
    expect(usage.subaccounts.map(({ accountSid, connectionIds, currency, totalPrice, error }) => ({ accountSid, connectionIds, currency, totalPrice, error }))).toEqual([
      { accountSid: sid('AC', 'a1'), connectionIds: [connections[0]?.connectionId, connections[1]?.connectionId], currency: 'USD', totalPrice: '0.13850', error: null },
      { accountSid: sid('AC', 'a2'), connectionIds: [connections[2]?.connectionId], currency: 'USD', totalPrice: '0.13850', error: null },
    ]);
    expect(lineOf(usage, 'sms_inbound')).toEqual({ kind: 'sms_inbound', ours: { count: 3, units: 6 }, twilio: { count: 4, units: 8, price: '0.0300' }, difference: 1 });
    expect(lineOf(usage, 'sms_inbound', 1)?.ours).toEqual({ count: 1, units: 2 });
    expect(lineOf(usage, 'calls_inbound')).toMatchObject({ twilio: { count: 1, units: 2, price: '0.0085' }, difference: 1 });
    const queries = twilio.requests.slice(asked).map(({ path, query }) => [path.split('/')[3], query.get('StartDate'), query.get('EndDate'), query.get('IncludeSubaccounts')]);
    expect(queries).toContainEqual([sid('AC', 'a1'), '2026-11-01', '2026-11-30', 'false']);
  });

  it('is of the tenant alone, although both have the same number', async () => {
    const usage = await get<TwilioUsage>(globex, 'usage?from=2026-11-01&to=2026-11-30', keyHeaders('twilio-connector', globex, ['tenant:read']));
    expect(usage.subaccounts.map(({ accountSid }) => accountSid)).toEqual([sid('AC', 'b1')]);
    expect(lineOf(usage, 'sms_inbound')?.ours).toEqual({ count: 7, units: 14 });
  });

  it('shows the hub\'s own counts while Twilio is away or refuses, and says why', async () => {
    const first = twilio.accounts.get(sid('AC', 'a1'));
    if (first !== undefined) first.refusal = { status: 401, code: 20003, message: 'Authenticate' };
    const usage = await get<TwilioUsage>(acme, 'usage?from=2026-11-01&to=2026-11-30');
    expect(usage.subaccounts.map(({ error }) => error === null)).toEqual([false, true]);
    expect(usage.subaccounts[0]?.error).toMatch(/credentials/);
    expect(lineOf(usage, 'sms_inbound')).toEqual({ kind: 'sms_inbound', ours: { count: 3, units: 6 }, twilio: { count: 0, units: 0, price: '0' }, difference: 0 });
    expect(JSON.stringify(usage)).not.toContain('token of');
  });
});

describe('the list of opt-outs', () => {
  type List = { readonly data: readonly { readonly address: string; readonly source: string; readonly sender: string }[]; readonly nextCursor: string | null };

  beforeAll(async () => {
    const optOuts = createOptOuts(store.db);
    const [first, second, , , theirs] = connections;
    const say = async (connection: ConnectionWithSecrets | undefined, address: string, minute: number, isOut = true) => {
      if (connection === undefined) throw new Error('both tenants have connections');
      const { tenantId, connectionId, settings } = connection;
      await runAsTenant(tenantId, () => optOuts.note({ sender: settings['phoneNumber'] ?? '', address, connectionId, isOut, source: 'STOP', at: new Date(Date.UTC(2026, 10, 22, 10, minute)) }));
    };
    // Two at the same time: a page may end between them.
    for (const [address, minute] of [['+15005550101', 1], ['+15005550102', 2], ['whatsapp:+15005550103', 2], ['+15005550104', 3]] as const) await say(first, address, minute);
    await say(first, '+15005550105', 4);
    await say(first, '+15005550105', 5, false);
    await say(second, '+15005550101', 6);
    await say(theirs, '+15005550101', 7);
  });

  it('has who is out now, newest first, in pages that miss nobody, of one tenant alone', async () => {
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: List = await get<List>(acme, `opt-outs?limit=1${cursor === '' ? '' : `&cursor=${cursor}`}`);
      seen.push(...page.data.map(({ sender, address }) => `${sender} ${address}`));
      cursor = page.nextCursor;
    }
    expect(seen).toEqual(['+15005550007 +15005550101', `${phoneNumber} +15005550104`, `${phoneNumber} whatsapp:+15005550103`, `${phoneNumber} +15005550102`, `${phoneNumber} +15005550101`]);
    expect((await get<List>(globex, 'opt-outs')).data).toHaveLength(1);
  });

  it('of one connection has that one\'s, and of another tenant\'s connection nobody', async () => {
    const [, second, , , theirs] = connections;
    expect((await get<List>(acme, `opt-outs?connectionId=${second?.connectionId}`)).data).toHaveLength(1);
    expect((await get<List>(acme, `opt-outs?connectionId=${theirs?.connectionId}`)).data).toEqual((await get<List>(acme, `opt-outs?connectionId=${newId('con')}`)).data);
  });
});
