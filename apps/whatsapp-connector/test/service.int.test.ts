import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId, type ConnectionId, type Envelope } from '@switchboard/contracts';
import { createDatabase, type Database } from '@switchboard/db';
import { prepareServices, startService, type RunningService, type ServiceDefinition } from '@switchboard/service-kit';
import { testEnvironment } from '@switchboard/service-kit/testing';
import { runAsTenant } from '@switchboard/tenant-context';
import { startTestDatabase, testRolePassword, testTenants, type TestDatabase } from '@switchboard/testing';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { service } from '../src/service.ts';
import { startFakeMeta, type FakeMeta } from './fake-meta.ts';

const [acme] = testTenants;
// The cast drops the service's own config type.
const definition = service as unknown as ServiceDefinition;

let database: TestDatabase;
let db: Database<unknown>;
let meta: FakeMeta;
let tenantService: Server;
let running: RunningService;
let token = 'token-1';
let lookups = 0;

beforeAll(async () => {
  database = await startTestDatabase();
  await prepareServices([definition], { adminUrl: database.adminUrl, driver: 'embedded', rolePassword: testRolePassword });
  db = createDatabase({ url: database.url('switchboard_whatsapp'), schema: 'whatsapp', connectionsMax: 2, createClient: () => undefined });
  meta = await startFakeMeta();
  tenantService = createServer((request, response) => {
    lookups++;
    const connectionId = (request.url ?? '').split('/').at(-1);
    const connection = { tenantId: acme, connectionId, provider: 'whatsapp', role: 'channel', status: 'active', version: 1, routingIdentifiers: { phoneNumberId: '7001' }, settings: { apiBaseUrl: meta.url }, credentials: { accessToken: token } };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(connection));
  });
  await new Promise<void>((resolve) => tenantService.listen(0, '127.0.0.1', resolve));
  const { port } = tenantService.address() as AddressInfo; // it listens on TCP
  running = await startService(
    definition,
    testEnvironment({
      DATABASE_URL: database.url('switchboard_whatsapp'),
      BUS_DRIVER: 'embedded',
      BUS_DATABASE_URL: database.url('switchboard_bus'),
      TENANT_SERVICE_URL: `http://127.0.0.1:${port}`,
      MEDIA_URL_SECRET: 's'.repeat(32),
      MEDIA_DIR: tmpdir(),
    }),
  );
}, 60_000);

afterAll(async () => {
  await running?.stop();
  tenantService?.closeAllConnections();
  tenantService?.close();
  await meta?.close();
  await db?.close();
  await database?.drop();
});

async function publish(type: Envelope['type'], orderingKey: string, payload: object): Promise<void> {
  const envelope = { eventId: newId('evt'), type, version: 1, tenantId: acme, occurredAt: new Date().toISOString(), orderingKey, payload };
  await runAsTenant(acme, () => db.transaction(() => db.sql.query('select bus.publish($1::jsonb)', [JSON.stringify([envelope])])));
}

const command = (connectionId: ConnectionId, text: string) => ({ messageId: newId('msg'), conversationId: newId('cnv'), connectionId, contact: { address: '15005550123', aliases: {} }, author: 'agent', content: { kind: 'text', text }, attributes: {}, sentAt: new Date().toISOString() });

async function until(isTrue: () => boolean): Promise<void> {
  for (const end = Date.now() + 15_000; !isTrue() && Date.now() < end; ) await sleep(20);
  expect(isTrue()).toBe(true);
}

describe('the service', () => {
  it('is ready, and delivers what the bus brings, in the order of the conversation', async () => {
    expect((await fetch(`${running.url}/health/ready`)).status).toBe(200);
    const connectionId = newId('con');
    const words = Array.from({ length: 20 }, (_, index) => `message ${index}`);
    for (const text of words) await publish('message.send.whatsapp', 'cnv', command(connectionId, text));
    await until(() => meta.requests.length >= words.length);
    expect(meta.requests.map(({ body }) => (JSON.parse(body.toString()) as { text: { body: string } }).text.body)).toEqual(words);
    expect(lookups).toBe(1);
  });

  it('loads a connection again after connection.changed', async () => {
    const connectionId = newId('con');
    await publish('message.send.whatsapp', 'k', command(connectionId, 'before'));
    await until(() => meta.requests.at(-1)?.authorization === 'Bearer token-1');
    token = 'token-2';
    await publish('connection.changed', connectionId, { connectionId, provider: 'whatsapp', role: 'channel', status: 'active', version: 2 });
    const before = lookups;
    // The broadcast is its own way beside the commands' queue: a command may still overtake it.
    for (const end = Date.now() + 15_000; lookups === before && Date.now() < end; await sleep(50)) await publish('message.send.whatsapp', 'k', command(connectionId, 'after'));
    await until(() => meta.requests.at(-1)?.authorization === 'Bearer token-2');
  });
});
