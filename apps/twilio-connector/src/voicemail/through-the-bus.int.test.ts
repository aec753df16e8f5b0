import type { ConnectionId, ConnectionWithSecrets, Envelope, TenantId } from '@switchboard/contracts';
import { createDatabase, type Database } from '@switchboard/db';
import { createEventBus, onEvent, type EventBus } from '@switchboard/event-bus';
import { prepareServices, startService, type RunningService, type ServiceDefinition } from '@switchboard/service-kit';
import { testEnvironment } from '@switchboard/service-kit/testing';
import { runAsTenant } from '@switchboard/tenant-context';
import { startTestDatabase, testRolePassword, testTenants, type TestDatabase } from '@switchboard/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { callAt, heardOf, makeConnection, startRecordings, stepEvent, type Heard, type Step, type TestCall } from '../../test/voicemail-hub.ts';
import { service } from '../service.ts';
import { PrismaClient } from '../store/generated/client.ts';

const [acme, globex] = testTenants;
// The cast drops the service's own config type.
const definition = service as unknown as ServiceDefinition;
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

let database: TestDatabase;
let db: Database<PrismaClient>;
let bus: EventBus;
let recordings: Awaited<ReturnType<typeof startRecordings>>;
let tenantService: Server;
let running: RunningService;
const connections = new Map<ConnectionId, ConnectionWithSecrets>();
const heard: Envelope[] = [];

beforeAll(async () => {
  database = await startTestDatabase();
  await prepareServices([definition], { adminUrl: database.adminUrl, driver: 'embedded', rolePassword: testRolePassword });
  db = createDatabase({ url: database.url('switchboard_twilio'), schema: 'twilio', connectionsMax: 4, createClient: (adapter) => new PrismaClient({ adapter }) });
  recordings = await startRecordings();
  tenantService = createServer((request, response) => {
    const connection = connections.get((request.url ?? '').split('/').at(-1) as ConnectionId); // the contract's path ends with it
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(connection));
  });
  await new Promise<void>((resolve) => {
    tenantService.listen(0, '127.0.0.1', resolve);
  });
  bus = createEventBus({ driver: 'embedded', service: 'test', unitOfWork: db, busUrl: database.url('switchboard_bus'), log: silent });
  for (const type of ['message.received', 'lead.captured'] as const) bus.subscribe(onEvent({ type, group: 'test-state', effect: 'idempotent', handle: async (event) => void heard.push(event) }));
  await bus.start();
  running = await start();
}, 60_000);
afterAll(async () => {
  await running?.stop();
  await bus?.stop();
  await db?.close();
  tenantService?.closeAllConnections();
  tenantService?.close();
  await recordings?.stop();
  await database?.drop();
});

async function start(): Promise<RunningService> {
  const { port } = tenantService.address() as AddressInfo; // it listens on TCP
  return startService(
    definition,
    testEnvironment({
      DATABASE_URL: database.url('switchboard_twilio'),
      BUS_DRIVER: 'embedded',
      BUS_DATABASE_URL: database.url('switchboard_bus'),
      TENANT_SERVICE_URL: `http://127.0.0.1:${port}`,
      MEDIA_URL_SECRET: 's'.repeat(32),
      MEDIA_DIR: tmpdir(),
      TWILIO_TRANSCRIPT_WAIT_SECONDS: '2',
    }),
  );
}

function connect(tenantId: TenantId): ConnectionWithSecrets {
  const connection = makeConnection(tenantId, recordings.url);
  connections.set(connection.connectionId, connection);
  return connection;
}

/** As ingest publishes it, but under a key of its own: no order holds the steps of a call apart. */
async function publish(call: TestCall, step: Step): Promise<void> {
  const { payload, tenantId } = stepEvent(call, step);
  await runAsTenant(tenantId, () => bus.publish('webhook.received.twilio', payload, { orderingKey: payload.webhookId }));
}

const toldOf = (call: TestCall): Heard[] => heardOf(heard, call.connection.tenantId).filter(({ payload }) => (payload['attributes'] as Record<string, string>)['call'] === call.callSid);
const kindsOf = (call: TestCall) => toldOf(call).map(({ type, content }) => content?.kind ?? type).toSorted();
async function until(isSo: () => boolean): Promise<void> {
  for (let waited = 0; !isSo() && waited < 20_000; waited += 50) await sleep(50);
  await sleep(300); // for what would come twice
}

describe('steps of calls on the bus, each three times and out of order', () => {
  it('become one voicemail a call at each of two tenants, though calls and numbers have the same names there', async () => {
    const [mine, theirs] = [connect(acme), connect(globex)];
    const calls = Array.from({ length: 6 }, () => callAt(mine)).flatMap((call) => [call, callAt(theirs, { like: call })]);
    const steps: readonly Step[] = ['recording', 'transcription', 'call_status', 'call', 'call_action'];
    for (const round of [0, 1, 2]) await Promise.all(calls.flatMap((call) => steps.map((_, index) => publish(call, steps[(index + round * 2) % steps.length] ?? 'call'))));
    await until(() => calls.every((call) => toldOf(call).length >= 3));
    for (const call of calls) {
      expect(kindsOf(call)).toEqual(['audio', 'handoff', 'lead.captured']);
      expect(toldOf(call).map(({ payload }) => payload['connectionId'] ?? (payload['from'] as { connectionId: string }).connectionId)).toEqual(Array.from({ length: 3 }, () => call.connection.connectionId));
    }
  }, 60_000);

  it('keep their voicemail over a restart of the connector while it waits for the transcript', async () => {
    const call = callAt(connect(acme));
    const waiting = async () => (await runAsTenant(acme, () => db.transaction(() => db.sql.query<{ waits: Record<string, number> }>(`select state->'waits' as waits from calls where call_sid = $1`, [call.callSid]))))[0]?.waits ?? {};
    await publish(call, 'call');
    await publish(call, 'recording');
    for (let waited = 0; waited < 10_000 && !(`caption ${call.recordingSid}` in (await waiting())); waited += 50) await sleep(50);
    await running.stop();
    expect(kindsOf(call)).toEqual([]);
    running = await start();
    await until(() => toldOf(call).length >= 3);
    expect(kindsOf(call)).toEqual(['audio', 'handoff', 'lead.captured']);
  }, 60_000);
});
