import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId, type ChatbotConfig, type ConnectionWithSecrets } from '@switchboard/contracts';
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
import { createChatbotStore } from '../src/store/chatbots.ts';
import { PrismaClient } from '../src/store/generated/client.ts';
import { chatKey, startStandInBotpress, type StandInBotpress } from './stand-in-botpress.ts';

const [acme] = testTenants;
// The cast drops the service's own config type.
const definition = service as unknown as ServiceDefinition;

let database: TestDatabase;
let db: Database<PrismaClient>;
let botpress: StandInBotpress;
let tenantService: Server;
let running: RunningService;

beforeAll(async () => {
  database = await startTestDatabase();
  await prepareServices([definition], { adminUrl: database.adminUrl, driver: 'embedded', rolePassword: testRolePassword });
  db = createDatabase({ url: database.url('switchboard_botpress'), schema: 'botpress', connectionsMax: 2, createClient: (adapter) => new PrismaClient({ adapter }) });
  botpress = await startStandInBotpress();
  tenantService = createServer((request, response) => {
    const connectionId = (request.url ?? '').split('/').at(-1) as ConnectionWithSecrets['connectionId']; // the contract's path ends with it
    const connection: ConnectionWithSecrets = {
      tenantId: acme, connectionId, provider: 'botpress', role: 'bot', status: 'active', version: 1,
      routingIdentifiers: { session: connectionId },
      settings: { kind: 'cloud', webhookId: 'bot', apiBaseUrl: `${botpress.url}/cloud`, replyTimeoutSeconds: '1' },
      credentials: { encryptionKey: chatKey },
    };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(connection));
  });
  await new Promise<void>((resolve) => tenantService.listen(0, '127.0.0.1', resolve));
  const { port } = tenantService.address() as AddressInfo; // it listens on TCP
  running = await startService(
    definition,
    testEnvironment({
      DATABASE_URL: database.url('switchboard_botpress'),
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
  await botpress?.close();
  await db?.close();
  await database?.drop();
});

async function write(text: string, conversationId = newId('cnv'), connectionId = newId('con')) {
  const payload = { messageId: newId('msg'), conversationId, connectionId, contact: { address: '4915112345678', aliases: {} }, author: 'contact', content: { kind: 'text', text }, attributes: { channel: 'whatsapp' }, sentAt: new Date().toISOString() };
  const envelope = { eventId: newId('evt'), type: 'message.send.botpress', version: 1, tenantId: acme, occurredAt: new Date().toISOString(), orderingKey: conversationId, payload };
  await runAsTenant(acme, () => db.transaction(() => db.sql.query('select bus.publish($1::jsonb)', [JSON.stringify([envelope])])));
  return { conversationId, connectionId };
}

type State = { failures: number; fallback_at: Date | null; turns: { askedAt: number; state: string }[] };

async function sessionOf(conversationId: string): Promise<State | undefined> {
  const [row] = await runAsTenant(acme, () => db.transaction(() => db.sql.query<State>('select failures, fallback_at, turns from chat_sessions where conversation_id = $1', [conversationId])));
  return row;
}

async function until<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (const end = Date.now() + 15_000; Date.now() < end; await sleep(20)) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error('it did not come');
}

describe('the service', () => {
  it('speaks for a silent bot when its time is over, not before, and later messages do not wait for that', async () => {
    const config: ChatbotConfig = { botName: 'Max', language: 'en', enableHumanHandoff: false, allowedActions: [], fallbackMessage: 'One moment.' };
    await runAsTenant(acme, () => db.transaction(() => createChatbotStore(db).save({ version: 1, config, knowledgeBase: [], changedBy: 'a test', at: new Date(), keep: 5 })));
    const { conversationId, connectionId } = await write('hello');
    await write('again', conversationId, connectionId);
    await until(() => (botpress.turns.length === 2 ? true : undefined));
    expect(await sessionOf(conversationId)).toMatchObject({ failures: 0, fallback_at: null });
    const failed = await until(async () => {
      const session = await sessionOf(conversationId);
      return session?.fallback_at ? session : undefined;
    });
    expect(failed).toMatchObject({ failures: 1, turns: [{ state: 'failed' }, { state: 'failed' }] });
    expect((failed.fallback_at?.getTime() ?? 0) - (failed.turns[0]?.askedAt ?? 0)).toBeGreaterThanOrEqual(1_000);
    expect((failed.fallback_at?.getTime() ?? 0) - (failed.turns[0]?.askedAt ?? 0)).toBeLessThan(4_000);
    // The second look finds the silence spoken for.
    await sleep(1_500);
    expect(await sessionOf(conversationId)).toMatchObject({ failures: 1 });
  }, 30_000);
});
